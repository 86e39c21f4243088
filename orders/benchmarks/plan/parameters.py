"""The parameters of the simulation, from loads of one database.

A batch costs something for itself and something for each of its orders. Two loads with batches of
different sizes tell the two apart: few clients make small batches, many make large ones.
"""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from orders.benchmarks.plan.running import Load

CORES = 2
"""Of the machine that is measured, and of those that are planned."""
FLUSHES = 100
PAGE = bytes(8192)


@dataclass(frozen=True)
class BatchCost:
    """The seconds of CPU of a batch: of itself, and of each item with one line and with two."""

    fixed: float
    one_line: float
    two_lines: float

    def of(self, lines: list[int]) -> float:
        """Return the seconds of a batch of items with so many lines each."""
        return self.fixed + sum(self.one_line if each == 1 else self.two_lines for each in lines)


@dataclass(frozen=True)
class WriterCost:
    python: BatchCost
    database: BatchCost


@dataclass(frozen=True)
class Parameters:
    """Seconds."""

    web: float
    """Of a web process's Python for an order, without the writers."""
    read: float
    """Of PostgreSQL for an order, without the writers: the look at the offers, and what it does
    for itself."""
    stock: WriterCost
    sales: WriterCost
    flush: float
    """What a COMMIT waits for the disk."""

    def beside(self, others: float) -> "Parameters":
        """Return the parameters of a machine on which other work has so many of its two cores.

        The cores are shared fairly, so each second of CPU takes longer.
        """
        slower = CORES / max(CORES - others, 0.1)

        def cost(each: BatchCost) -> BatchCost:
            values = (each.fixed, each.one_line, each.two_lines)
            return BatchCost(*(slower * value for value in values))

        def writer(each: WriterCost) -> WriterCost:
            return WriterCost(cost(each.python), cost(each.database))

        return replace(
            self,
            web=slower * self.web,
            read=slower * self.read,
            stock=writer(self.stock),
            sales=writer(self.sales),
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return them as rows of the report, in milliseconds."""

        def row(what: str, ms: float) -> dict[str, Any]:
            return {"part": "parameters", "what": what, "ms": round(1000 * ms, 3)}

        found = [row("web, an order", self.web), row("read, an order", self.read)]
        for name, writer in (("stock", self.stock), ("sales", self.sales)):
            for where, cost in (("python", writer.python), ("database", writer.database)):
                found += [
                    row(f"{name}, {where}, a batch", cost.fixed),
                    row(f"{name}, {where}, one line", cost.one_line),
                    row(f"{name}, {where}, two lines", cost.two_lines),
                ]
        return [*found, row("flush", self.flush)]


def parameters(*, few: Load, many: Load, one_line: Load, flush: float) -> Parameters:
    """Return the parameters by loads of few and of many clients, and of orders with one line.

    `flush` is measured by itself (`flush_seconds`).
    """

    def cost(kind: str, where: str) -> BatchCost:
        fixed, each = _line_through(
            *((load.writers[kind], load.writers[kind][where]) for load in (few, many))
        )
        spent = one_line.writers[kind]
        alone = (spent[where] - fixed * spent["batches"]) / spent["items"]
        return BatchCost(fixed, one_line=max(alone, 0.0), two_lines=each)

    def writer(kind: str) -> WriterCost:
        return WriterCost(cost(kind, "python"), cost(kind, "database"))

    writers = {
        where: sum(many.writers[kind][where] for kind in many.writers)
        for where in ("python", "database")
    }
    return Parameters(
        web=(many.python - writers["python"]) / many.orders,
        read=max(many.database - writers["database"], 0.0) / many.orders,
        stock=writer("stock"),
        sales=writer("sales"),
        flush=flush,
    )


def flush_seconds(folder: Path) -> float:
    """Return what the disk of this folder takes for a page of PostgreSQL's log, at the median."""
    path, taken = folder / "flushed", []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for _flush in range(FLUSHES):
            os.write(descriptor, PAGE)
            began = time.perf_counter()
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(taken)


def _line_through(
    few: tuple[dict[str, float], float], many: tuple[dict[str, float], float]
) -> tuple[float, float]:
    """Return the seconds of a batch and of an item that explain both loads; none is negative."""
    (a, spent_a), (b, spent_b) = few, many
    size_a, size_b = a["items"] / a["batches"], b["items"] / b["batches"]
    batch_a, batch_b = spent_a / a["batches"], spent_b / b["batches"]
    each = (batch_b - batch_a) / (size_b - size_a) if size_b > size_a + 0.1 else 0.0
    each = min(max(each, 0.0), batch_b / size_b)
    return max(batch_b - each * size_b, 0.0), each

"""The ratios of `bench placement` and their targets."""

from collections.abc import Iterator, Sequence
from typing import Any

from orders.benchmarks.placement.variants import (
    COUNTED,
    FRESH,
    LOCKED,
    PATIENT,
    SEQUENTIAL,
    TANDEM,
    TEXTBOOK,
    UNSORTED,
)
from project.benchmarks import Report, judged

Row = dict[str, Any]
BUSIEST = 32
"""The clients of the rows whose rates are judged."""
PGBENCH, OTHER_BUILD = "pgbench", "other build"
ONE_PROCESS, TWO_PROCESSES = "one process", "two processes"
NETWORK, DEADLOCKS, BUILDS = "network", "deadlocks", "builds"
"""The parts of the benchmark: each row is of one."""
TARGETS: dict[str, dict[str, float]] = {
    **{
        f"orders/s to the textbook, {BUSIEST} clients, {basket}": {"at_least": 8.0}
        for basket in ("spread", "hot", "hot baskets")
    },
    f"p99 to the textbook, {BUSIEST} clients, hot": {"at_most": 0.05},
    **{
        f"p50 to the textbook, 1 client, {basket}": {"at_most": 0.6}
        for basket in ("spread", "hot", "hot baskets")
    },
    "orders/s to pgbench, two processes, hot": {"at_least": 1.5},
    "least orders/s to the other build": {"at_least": 0.95},
    "deadlocks": {"at_most": 0.0},
    "orders that failed beside them": {"at_most": 0.0},
    "deadlocks of the control": {"at_least": 1.0},
}
"""The bounds of each ratio."""


def judge(rows: Sequence[Row]) -> Report:
    """Return the report of the measured rows."""
    return judged(list(rows), dict(_ratios(rows)), TARGETS)


def _ratios(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    def of(part: str) -> list[Row]:
        return [row for row in rows if row["part"] == part]

    yield from _to_the_textbook(of(ONE_PROCESS))
    yield from _to_pgbench(of(TWO_PROCESSES))
    yield from _in_parallel(of(NETWORK))
    yield from _deadlocks(of(DEADLOCKS))
    yield from _to_the_other_build(of(BUILDS))


def _to_the_textbook(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {(row["clients"], row["basket"], row["variant"]): row for row in rows}
    for (clients, basket, variant), tandem in found.items():
        if variant != TANDEM:
            continue
        case = f"{clients} client{'s' if clients > 1 else ''}, {basket}"
        textbook = found[clients, basket, TEXTBOOK]
        for column, name in (("per_second", "orders/s"), ("p50_ms", "p50"), ("p99_ms", "p99")):
            yield f"{name} to the textbook, {case}", tandem[column] / textbook[column]
        for other, name in ((LOCKED, "select_for_update"), (FRESH, "two fresh threads")):
            other_row = found[clients, basket, other]
            yield f"orders/s to {name}, {case}", tandem["per_second"] / other_row["per_second"]
        if counted := found.get((clients, basket, COUNTED)):
            yield f"orders/s with limits, {case}", counted["per_second"] / tandem["per_second"]


def _to_pgbench(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    best = {
        variant: max(row["per_second"] for row in rows if row["variant"] == variant)
        for variant in {row["variant"] for row in rows}
    }
    if best:
        yield "orders/s to pgbench, two processes, hot", best[TANDEM] / best[PGBENCH]


def _to_the_other_build(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {(row["clients"], row["basket"], row["variant"]): row["per_second"] for row in rows}
    ratios = {
        f"orders/s to the other build, {clients} client{'s' if clients > 1 else ''}, {basket}": (
            rate / found[clients, basket, OTHER_BUILD]
        )
        for (clients, basket, variant), rate in found.items()
        if variant == TANDEM
    }
    yield from ratios.items()
    if ratios:
        yield "least orders/s to the other build", min(ratios.values())


def _in_parallel(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {(row["delay_ms"], row["clients"], row["variant"]): row for row in rows}
    for (delay, clients, variant), parallel in found.items():
        if variant != TANDEM:
            continue
        case = f"{delay:g} ms away, {clients} client{'s' if clients > 1 else ''}"
        sequential = found[delay, clients, SEQUENTIAL]
        for column, name in (("per_second", "orders/s"), ("p50_ms", "p50")):
            ratio = parallel[column] / sequential[column]
            yield f"{name} to one after the other, {case}", ratio


def _deadlocks(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {row["variant"]: row for row in rows}
    if PATIENT in found:
        yield "deadlocks", found[PATIENT]["deadlocks"]
        yield "orders that failed beside them", found[PATIENT]["failed"]
        yield "deadlocks of the control", found[UNSORTED]["deadlocks"]

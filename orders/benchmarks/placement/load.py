"""Clients that place one order after the other, and what they saw."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.management.base import CommandError
from django.db import connection

from orders.benchmarks.placement.shop import Basket
from orders.benchmarks.placement.variants import Variant


@dataclass
class Load:
    """The orders of one round."""

    seconds: float
    latencies: list[float]
    """Seconds of each order that was placed, in any order."""
    failed: Counter[str] = field(default_factory=Counter)
    """Orders that were not placed, by the name of the error."""

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def figures(self) -> dict[str, float]:
        """Return rate and latencies as a row has them; no latencies if no order was placed."""
        ordered = sorted(self.latencies)
        places = {"p50_ms": 0.5, "p99_ms": 0.99, "slowest_ms": 1.0}
        return {"per_second": round(self.per_second, 1)} | {
            name: round(1000 * ordered[min(int(len(ordered) * place), len(ordered) - 1)], 2)
            for name, place in places.items()
            if ordered
        }


def together(loads: Iterable[Load]) -> Load:
    """Return the loads of several processes at the same time as one."""
    parts = list(loads)
    return Load(
        seconds=max(part.seconds for part in parts),
        latencies=[latency for part in parts for latency in part.latencies],
        failed=sum((part.failed for part in parts), Counter()),
    )


def load(variant: Variant, basket: Basket, *, clients: int, seconds: float) -> Load:
    """Let each client, a thread, place orders for so long; it places at least one."""
    latencies: list[float] = []
    failed: Counter[str] = Counter()

    def shop() -> None:
        mine = []
        began = time.perf_counter()
        while True:
            request = basket.request()
            started = time.perf_counter()
            try:
                variant.place(request)
                mine.append(time.perf_counter() - started)
            except Exception as error:
                failed[type(error.__cause__ or error).__name__] += 1
            finally:
                connection.close()  # back to the pool, as at the end of a web request
            if time.perf_counter() - began >= seconds:
                break
        latencies.extend(mine)

    with variant.around():
        started = time.monotonic()
        threads = [threading.Thread(target=shop) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Load(time.monotonic() - started, latencies, failed)


Name = TypeVar("Name", bound=Hashable)


def in_turns(ways: Mapping[Name, Callable[[], Load]], *, rounds: int) -> dict[Name, dict[str, Any]]:
    """Measure each way in each round, so that other load on the machine hits all of them.

    Returns the figures of each way's median round, with its least and its highest rate. Raises
    CommandError if an order was not placed.
    """
    found: dict[Name, list[Load]] = {name: [] for name in ways}
    for _round in range(rounds):
        for name, measure in ways.items():
            measured = measure()
            if measured.failed:
                raise CommandError(f"{name}: orders failed: {dict(measured.failed)}")
            found[name].append(measured)
    rows = {}
    for name, loads in found.items():
        loads.sort(key=lambda each: each.per_second)
        rows[name] = {
            **loads[len(loads) // 2].figures(),
            "least": round(loads[0].per_second, 1),
            "most": round(loads[-1].per_second, 1),
        }
    return rows

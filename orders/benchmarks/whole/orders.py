"""`bench orders`: orders per second whose jobs are all done within a minute, in a whole shop.

Growing loads tell about how many a build can do; then it gets the orders of 40 seconds in 20, and
is given a minute from the first order to the last job's end. The builds take turns.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from orders.benchmarks.http import order
from orders.benchmarks.http.client import Closed, loads
from orders.benchmarks.whole.shops import Shop, running_shop
from project.benchmarks import Report, judged
from project.local.env import ROOT

ROUNDS = 3
SIZES = (40,)
"""The seconds that a round's orders should take with their jobs."""
LONGEST = 60.0
"""Seconds until the last job of a round has ended; slower rounds count by what they took."""
WARM_UP_ORDERS = 40
WARM_UP_SECONDS = 5.0
BEHIND = 1.5
"""A build is at its most if all jobs are done after so many times the seconds of placing."""
CONNECTIONS = 4
OURS, OTHER = "ours", "other"
TARGETS = {
    "to the other build": {"at_least": 4.0},
    "rounds whose jobs were late": {"at_most": 0.0},
}


def bench_orders(sizes: tuple[int, ...] = SIZES, against: Path | None = None) -> Report:
    """Measure this build's whole shop, with `against` in turns with that build's."""
    worktrees = {OURS: ROOT} if against is None else {OURS: ROOT, OTHER: against}
    [seconds] = sizes
    with ExitStack() as stack:
        shops = {
            name: stack.enter_context(running_shop(worktree))
            for name, worktree in worktrees.items()
        }
        guesses = {name: _most(shop) for name, shop in shops.items()}
        rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in shops}
        for _round in range(ROUNDS):
            for name, shop in shops.items():
                before = shop.cpu()
                rate, took, placed = _measured(shop, int(guesses[name] * seconds), seconds / 2)
                spent = {part: value - before.get(part, 0.0) for part, value in shop.cpu().items()}
                guesses[name] = rate
                rounds[name].append({"rate": rate, "took": took, "placed": placed, "cpu": spent})
    return judge(rounds)


def judge(rounds: dict[str, list[dict[str, Any]]]) -> Report:
    """Return the report of each build's rounds; ours are the first."""
    rows = [_row(name, measured) for name, measured in rounds.items()]
    late = sum(one["took"] > LONGEST for one in rounds[OURS])
    ratios = {"rounds whose jobs were late": float(late)}
    if OTHER in rounds:
        ratios["to the other build"] = rows[0]["per_second"] / rows[1]["per_second"]
    return judged(rows, ratios, TARGETS)


def _most(shop: Shop) -> float:
    """Return about how many orders a second the shop can do: with fewer it would only wait."""
    orders = WARM_UP_ORDERS
    while True:
        rate, took, placed = _measured(shop, orders, WARM_UP_SECONDS)
        if took > BEHIND * WARM_UP_SECONDS or placed < orders / 2:  # or it takes no more
            return rate
        orders *= 2


def _measured(shop: Shop, orders: int, seconds: float) -> tuple[float, float, int]:
    """Place about so many orders in so many seconds and wait for their jobs.

    Returns orders per second, counted to the end of the last job; the seconds; the orders.
    """
    pause = CONNECTIONS * seconds / max(orders, CONNECTIONS)
    make: Callable[[], bytes] = order
    began = time.monotonic()
    [placed] = loads(shop.port, parts=[Closed(make, CONNECTIONS, pause)], seconds=seconds)
    shop.wait_for_jobs(seconds=900)
    took = time.monotonic() - began
    return placed.statuses[201] / took, took, placed.statuses[201]


def _row(build: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    rounds = sorted(rounds, key=lambda one: float(one["rate"]))
    middle = rounds[len(rounds) // 2]
    return {
        "build": build,
        "per_second": round(median(one["rate"] for one in rounds), 2),
        "least": round(rounds[0]["rate"], 2),
        "most": round(rounds[-1]["rate"], 2),
        "orders": middle["placed"],
        "seconds": round(middle["took"], 1),
        **{
            f"{part}_cpu_ms": round(1000 * spent / middle["placed"], 1)
            for part, spent in middle["cpu"].items()
            if spent > 0.05
        },
    }

"""`bench memory`: what each process of a shop holds: fresh, and after many orders and jobs.

The orders come while the messages' and pictures' queues are paused, the jobs after them: so each
growth has one cause. Megabytes are PSS: memory that two processes share counts half for each.
"""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from orders.benchmarks.http import order
from orders.benchmarks.http.client import load
from orders.benchmarks.whole.shops import SERVERS, Shop, running_shop
from project.benchmarks import Report, judged
from project.local.env import ROOT

SIZES = (100_000, 10_000)
"""Orders, and jobs."""
CALM_SECONDS = 20.0
CONNECTIONS = 16
OURS, OTHER = "ours", "other"
QUEUES = ("notify", "media")
Held = dict[str, float]
"""The megabytes of each process by its name."""
TARGETS = {
    "fresh, to the other build": {"at_most": 0.8},
    "most growth in MB by orders": {"at_most": 10.0},
    "most growth in MB by jobs": {"at_most": 10.0},
}


def bench_memory(sizes: tuple[int, ...] = SIZES, against: Path | None = None) -> Report:
    """Measure this build's shop, and a fresh one of `against`."""
    orders, jobs = sizes
    fresh: dict[str, Held] = {}
    with ExitStack() as stack:
        ours = stack.enter_context(running_shop(ROOT))
        shops = {OURS: ours}
        if against is not None:
            shops[OTHER] = stack.enter_context(running_shop(against))
        time.sleep(CALM_SECONDS)
        fresh = {name: shop.held() for name, shop in shops.items()}
    with running_shop(ROOT) as ours:
        by_orders = _after_orders(ours, orders)
        by_jobs = _after_jobs(ours, jobs)
    return judge(fresh, by_orders, by_jobs)


def judge(
    fresh: dict[str, Held], by_orders: tuple[Held, Held], by_jobs: tuple[Held, Held]
) -> Report:
    """Return the report of what fresh shops held, and ours after a tenth and at the end."""
    rows = _rows(fresh, by_orders, by_jobs)
    ratios = {
        "most growth in MB by orders": _growth(by_orders),
        "most growth in MB by jobs": _growth(by_jobs),
    }
    if OTHER in fresh:
        ratios["fresh, to the other build"] = sum(fresh[OURS].values()) / sum(fresh[OTHER].values())
    return judged(rows, ratios, TARGETS)


def _after_orders(shop: Shop, orders: int) -> tuple[Held, Held]:
    """Place so many orders; return what was held after the first tenth, and at the end."""
    for queue in QUEUES:
        shop.ask(
            "INSERT INTO project_pausedqueue (queue, paused_by, reason)"
            f" VALUES ('{queue}', 'bench', 'orders first')"
        )
    placed, tenth = 0, None
    while placed < orders:
        placed += load(shop.port, order, connections=CONNECTIONS, seconds=2.0).statuses[201]
        if tenth is None and placed >= orders / 10:
            tenth = shop.held()
    return _both(tenth, shop.held())


def _both(
    tenth: dict[str, float] | None, end: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    if tenth is None:
        raise CommandError("All were done before the first look: take more with --sizes.")
    return tenth, end


def _after_jobs(shop: Shop, jobs: int) -> tuple[Held, Held]:
    """Let so many jobs be done; return what was held after the first tenth, and at the end."""
    before = shop.count_jobs("done")
    shop.ask("DELETE FROM project_pausedqueue")
    tenth = None
    while (done := shop.count_jobs("done") - before) < jobs:
        if not shop.count_jobs("queued", "running"):
            break
        if tenth is None and done >= jobs / 10:
            tenth = shop.held()
        time.sleep(1.0)
    return _both(tenth, shop.held())


def _growth(measured: tuple[Held, Held]) -> float:
    """Return the most that one of our own processes has grown by; the servers' caches may."""
    tenth, end = measured
    return max(end[name] - tenth[name] for name in tenth if name not in SERVERS and name in end)


def _rows(fresh: dict[str, Held], *phases: Any) -> list[dict[str, Any]]:
    (tenth_orders, orders), (tenth_jobs, jobs) = phases
    columns = {
        "fresh_mb": fresh[OURS],
        "other_fresh_mb": fresh.get(OTHER, {}),
        "tenth_of_orders_mb": tenth_orders,
        "orders_mb": orders,
        "tenth_of_jobs_mb": tenth_jobs,
        "jobs_mb": jobs,
    }
    names = sorted({name for held in columns.values() for name in held})
    rows: list[dict[str, Any]] = [
        {"process": name, **{column: _cell(held, name) for column, held in columns.items()}}
        for name in names
    ]
    sums = {column: round(sum(held.values()), 1) for column, held in columns.items() if held}
    return [*rows, {"process": "all", **sums}]


def _cell(held: Held, name: str) -> float | None:
    return round(held[name], 1) if name in held else None

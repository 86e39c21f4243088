"""The ratios of `bench http` and their targets.

A ratio to the other build needs one; without `--against` only ours are judged.
"""

from typing import Any

from orders.shop.progress import POLL_INTERVALS
from project.benchmarks import Report

PAGES = ("home", "product page", "list by API", "product by API")
AT_LEAST, AT_MOST = "at_least", "at_most"

TARGETS: dict[str, dict[str, float]] = {
    "POST order to the other build": {AT_LEAST: 3.5},
    "POST order to a no-op view": {AT_LEAST: 0.4},
    "POST order, p99 to the other build": {AT_MOST: 0.35},
    **{f"{page} to the other build": {AT_LEAST: 6.0} for page in PAGES},
    "web processes' time for the polls of 500 shoppers": {AT_MOST: 0.1},
    "overload, orders to the peak": {AT_LEAST: 0.9},
    "overload, refusals": {AT_LEAST: 1.0},
    "overload, refusals late or without Retry-After": {AT_MOST: 0.0},
    "overload, other answers": {AT_MOST: 0.0},
    "overload, a page's p95 to a calm one": {AT_MOST: 2.0},
}
"""The bounds of each ratio."""


SHOPPERS = 500
WEB_PROCESSES = 2


def polls_per_second() -> float:
    """Return how often a page polls in the first minute after its order, on average."""
    polls, before = 0.0, 0.0
    for until, pause in POLL_INTERVALS:
        end = min(until.total_seconds(), 60.0)
        polls += max(0.0, end - before) / pause
        before = max(before, end)
    return polls / 60.0


def judge(rows: list[dict[str, Any]]) -> Report:
    """Return the report of the measured rows."""
    ratios = _ratios({(row["what"], row["build"]): row for row in rows})
    targets = {name: TARGETS[name] for name in ratios if name in TARGETS}
    missed = [
        f"{name} is {ratios[name]}, wanted {bound.replace('_', ' ')} {value:g}"
        for name, bounds in targets.items()
        for bound, value in bounds.items()
        if (ratios[name] < value if bound == AT_LEAST else ratios[name] > value)
    ]
    return Report(rows=rows, ratios=ratios, missed=missed, targets=targets)


def _ratios(rows: dict[tuple[str, str], dict[str, Any]]) -> dict[str, float]:
    ratios: dict[str, float] = {}
    for what, build in rows:
        if build == "other":
            mine, its = rows[what, "ours"], rows[what, "other"]
            ratios[f"{what} to the other build"] = _ratio(mine, its, "per_second")
            ratios[f"{what}, p99 to the other build"] = _ratio(mine, its, "p99_ms")
    post, no_op = rows["POST order", "ours"], rows["no-op view", "ours"]
    ratios["POST order to a no-op view"] = _ratio(post, no_op, "per_second")
    if poll := rows.get(("poll of an order", "ours")):
        share = SHOPPERS * polls_per_second() * poll["web_cpu_ms"] / 1000 / WEB_PROCESSES
        ratios["web processes' time for the polls of 500 shoppers"] = round(share, 3)
    rush = next(row for (what, _build), row in rows.items() if what.startswith("overload"))
    ratios["overload, orders to the peak"] = round(rush["per_second"] / rush["peak_per_second"], 3)
    ratios["overload, refusals"] = float(rush["refused"])
    ratios["overload, other answers"] = float(rush["neither"])
    ratios["overload, refusals late or without Retry-After"] = float(
        rush["refused_late"] + rush["without_retry_after"]
    )
    ratios["overload, a page's p95 to a calm one"] = round(
        rush["page_p95_ms"] / rush["page_p95_calm_ms"], 3
    )
    return ratios


def _ratio(mine: dict[str, Any], its: dict[str, Any], column: str) -> float:
    return round(mine[column] / its[column], 3) if its[column] else 0.0

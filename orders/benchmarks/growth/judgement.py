"""The targets of `bench growth`, and what was missed. They are for a million orders."""

from collections.abc import Sequence
from typing import Any

from orders.benchmarks.growth.measuring import PARKED, Row
from orders.benchmarks.growth.pages import SHOP_PAGES, list_pages
from project.benchmarks import Report

Target = dict[str, float]
"""At most so much, by the column of a row; `growth` is the ratio."""

PYTHON: Target = {"python_ms": 60}
PAGE: Target = {"sql_ms": 50, "buffers": 1000, **PYTHON}
WORDS: Target = {"sql_ms": 100, **PYTHON}
FIGURES: Target = {"sql_ms": 50, **PYTHON}
SWEEP: Target = {"sql_ms": 1000}
RELAY: Target = {"sql_ms": 5}
TARGETS: dict[str, Target] = {
    **{page.what: WORDS if page.is_of_words else PAGE for page in list_pages()},
    "desk: overview": FIGURES,
    "/metrics": FIGURES,
    f"desk: overview, {PARKED}": {"sql_ms": 60},
    f"/metrics, {PARKED}": {"sql_ms": 60},
    **{
        f"relay: {step}, {PARKED}": RELAY
        for step in ("ring messages", "ring media jobs", "wake", "wake one", "bury messages")
    },
    **{page.what: PYTHON for page in SHOP_PAGES},
    **{f"{sweep}: a step": SWEEP for sweep in ("settle", "expiry", "media ready")},
    "audit: five minutes": {"sql_ms": 2000},
    "audit: nightly": {"sql_ms": 60_000},
    "prune: 1,000 messages": {"sql_ms": 50},
    "prune: HTML of 1,000 messages": {"sql_ms": 50},
    "placing: an order": {"growth": 1.5, "wal_kb": 60},
}


def judge(rows: Sequence[Row]) -> Report:
    """Return the report: how each thing grew from the smallest shop to the largest, what missed."""
    by_what: dict[str, list[Row]] = {}
    for row in rows:
        by_what.setdefault(row["what"], []).append(row)
    ratios = {
        what: round(found[-1]["sql_ms"] / max(found[0]["sql_ms"], 0.1), 2)
        for what, found in by_what.items()
        if len(found) > 1
    }
    missed = [
        f"{what}, {row['size']:,} orders: {column} is {row[column]:,g}, wanted at most {most:,g}"
        for what, target in TARGETS.items()
        for row in by_what.get(what, ())
        for column, most in target.items()
        if row.get(column) is not None and row[column] > most
    ] + [
        f"{what} grew {ratios[what]:g} times, wanted at most {target['growth']:g}"
        for what, target in TARGETS.items()
        if "growth" in target and ratios.get(what, 0) > target["growth"]
    ]
    targets: dict[str, Any] = {what: TARGETS[what] for what in by_what if what in TARGETS}
    return Report(rows=list(rows), ratios=ratios, targets=targets, missed=missed)

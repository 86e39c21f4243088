"""The benchmarks' ratios with generous bounds: an optimisation that is lost fails here.

Targets are for a quiet machine (docs/benchmarks.md). These bounds hold on a busy one too, since
both sides of a ratio are measured in one run.
"""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from project.local.env import ROOT

AT_LEAST: dict[str, dict[str, float]] = {
    "placement --soak 0.2": {
        "orders/s to the textbook, 32 clients, spread": 2.5,  # batches, arrays, one look
        "orders/s to the textbook, 32 clients, hot": 4.0,
        "orders/s to the textbook, 32 clients, hot baskets": 4.0,
        "orders/s to pgbench, two processes, hot": 0.8,
    },
    "jobs --sizes 4000,100000,20": {
        "to procrastinate": 0.8,  # compiled claims, packs, results in the settling statement
        "to bare Celery": 0.35,
        "beside finished jobs and an idle transaction": 0.5,  # looks that begin at the last one
    },
    "quotes": {"one by one against threads, 10 carriers": 3.0},
    "pools": {"rate_threads_to_prefork": 0.6},
}
AT_MOST: dict[str, dict[str, float]] = {
    "placement --soak 0.2": {
        "p99 to the textbook, 32 clients, hot": 0.3,
        "p50 to the textbook, 1 client, spread": 0.9,
        "deadlocks": 0.0,
    },
    "search": {"to ILIKE": 0.8},  # each that begins so: the index of words and its plan
    "pools": {"memory_threads_to_prefork": 0.6},
}


def lost(command: str, ratios: Mapping[str, float]) -> list[str]:
    """Return a sentence for each ratio of this benchmark that is outside its bounds, or missing."""
    found = []
    for bounds, is_outside in (
        (AT_LEAST, lambda ratio, bound: ratio < bound),
        (AT_MOST, lambda ratio, bound: ratio > bound),
    ):
        for name, bound in bounds.get(command, {}).items():
            meant = {each: ratio for each, ratio in ratios.items() if each.startswith(name)}
            if not meant:
                found.append(f"{name} wasn't measured")
            found += [
                f"{each} is {ratio}, bound {bound}"
                for each, ratio in meant.items()
                if is_outside(ratio, bound)
            ]
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", sorted(AT_LEAST.keys() | AT_MOST.keys()))
def test_no_optimisation_is_lost(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", *command.split(), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr  # 1: a target is missed, which isn't asked here

    assert lost(command, json.loads(done.stdout)["ratios"]) == []


def test_control_what_is_outside_its_bounds_or_missing_is_named() -> None:
    measured = {"to ILIKE, a word": 0.2, "to ILIKE, two words": 0.9}

    assert lost("search", measured) == ["to ILIKE, two words is 0.9, bound 0.8"]
    assert lost("quotes", {}) == ["one by one against threads, 10 carriers wasn't measured"]
    assert lost("pools", {"rate_threads_to_prefork": 0.5, "memory_threads_to_prefork": 0.3}) == [
        "rate_threads_to_prefork is 0.5, bound 0.6"
    ]

"""The rounds of a kind of request: the builds take turns, and the median round counts."""

from collections.abc import Callable
from typing import Any

from orders.benchmarks.http.builds import Served
from orders.benchmarks.http.client import Load, load

CONNECTIONS = 64
ROUNDS = 3
"""The builds alternate, so that other load on the machine hits all. The median round counts."""
SECONDS = 4.0
"""Per round, after a warm-up of one second."""
FIRST_SECONDS = 1.5
"""Of processes that were just started, which have no warm-up."""
GOOD = (200, 201, 204)
Round = tuple[Load, dict[str, float]]
"""What the client saw, and the CPU seconds of each part meanwhile."""


def in_turns(
    what: str, make: Callable[[], bytes], builds: dict[str, Served]
) -> list[dict[str, Any]]:
    """Ask each build in each round; return a row for each."""
    for build in builds.values():
        load(build.port, make, connections=CONNECTIONS, seconds=1.0)
    rounds: dict[str, list[Round]] = {name: [] for name in builds}
    for _round in range(ROUNDS):
        for name, build in builds.items():
            rounds[name].append(_round_of(build, make, seconds=SECONDS))
    return [_row(what, name, measured) for name, measured in rounds.items()]


def once(what: str, make: Callable[[], bytes], builds: dict[str, Served]) -> list[dict[str, Any]]:
    """Ask each build that was just started; return a row for each. There is one first time."""
    return [
        _row(what, name, [_round_of(build, make, seconds=FIRST_SECONDS)])
        for name, build in builds.items()
    ]


def _round_of(build: Served, make: Callable[[], bytes], *, seconds: float) -> Round:
    before = build.cpu_seconds()
    measured = load(build.port, make, connections=CONNECTIONS, seconds=seconds)
    after = build.cpu_seconds()
    return measured, {part: after[part] - before[part] for part in after}


def _row(what: str, build: str, rounds: list[Round]) -> dict[str, Any]:
    rounds = sorted(rounds, key=lambda each: each[0].rate(*GOOD))
    middle, computed = rounds[len(rounds) // 2]
    answers = sum(middle.statuses.values())
    return {
        "what": what,
        "build": build,
        "per_second": round(middle.rate(*GOOD), 1),
        "least": round(rounds[0][0].rate(*GOOD), 1),
        "most": round(rounds[-1][0].rate(*GOOD), 1),
        "p50_ms": round(middle.percentile(50, *GOOD), 1),
        "p99_ms": round(middle.percentile(99, *GOOD), 1),
        "refused": answers - sum(middle.statuses[status] for status in GOOD),
        **{f"{part}_cpu_ms": round(1000 * spent / answers, 2) for part, spent in computed.items()},
        "limit": f"{max(computed, key=lambda part: computed[part])}'s CPU",
    }

"""More orders than the web processes can place: placed, refused, and visitors who look on."""

from collections.abc import Callable
from typing import Any

from orders.benchmarks.http.client import Closed, Load, Open, load, loads

TIMES = 4
"""Orders that come per second, by those that are placed at the capacity."""
BROWSERS = 4
PAUSE = 0.25
"""Visitors who look at a page, and seconds between two looks."""
SECONDS = 6.0
WAIT_MS = 1000.0
"""A refusal that takes longer isn't one in time."""


def measure_overload(
    port: int, order: Callable[[], bytes], page: Callable[[], bytes], *, capacity: int
) -> dict[str, Any]:
    """Return the row: orders per second over `capacity` connections and in the rush, refusals, and
    a page's p95.

    The rush doesn't wait for answers: its orders come at a rate. Clients who wait would send fewer
    the slower they are answered.
    """
    browsers = Closed(page, BROWSERS, PAUSE)
    peak = load(port, order, connections=capacity, seconds=SECONDS)
    calm = loads(port, parts=[Closed(order, capacity), browsers], seconds=SECONDS)[1]
    coming = Open(order, TIMES * peak.rate(201))
    rush, browsing = loads(port, parts=[coming, browsers], seconds=SECONDS)
    return {
        "what": f"overload, {TIMES} x",
        "build": "ours",
        "per_second": round(rush.rate(201), 1),
        "p50_ms": round(rush.percentile(50, 201), 1),
        "p99_ms": round(rush.percentile(99, 201), 1),
        "refused": rush.statuses[503],
        "came_per_second": round(sum(rush.statuses.values()) / rush.seconds, 1),
        "peak_per_second": round(peak.rate(201), 1),
        "refused_p99_ms": round(rush.percentile(99, 503), 1),
        "refused_late": _late(rush),
        "without_retry_after": rush.without_retry_after,
        "neither": _others(rush, 201, 503) + _others(browsing, 200),
        "page_p95_ms": round(browsing.percentile(95, 200), 1),
        "page_p95_calm_ms": round(calm.percentile(95, 200), 1),
    }


def _late(rush: Load) -> int:
    return sum(latency > WAIT_MS for latency in rush.latencies.get(503, []))


def _others(answers: Load, *expected: int) -> int:
    return sum(number for status, number in answers.statuses.items() if status not in expected)

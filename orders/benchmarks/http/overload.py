"""More shoppers at once than the web processes can serve: placed, refused, and looking."""

from collections.abc import Callable
from typing import Any

from orders.benchmarks.http.client import Load, load, loads

TIMES = 4
"""Connections that order at once, by those of the other rows."""
BROWSERS = 4
PAUSE = 0.25
"""Visitors who look at a page, and seconds between two looks."""
SECONDS = 6.0
WAIT_MS = 1000.0
"""A refusal that takes longer isn't one in time."""


def measure_overload(
    port: int, order: Callable[[], bytes], page: Callable[[], bytes], *, capacity: int
) -> dict[str, Any]:
    """Return the row: orders per second at the capacity and beyond, refusals, and a page's p95."""
    peak = load(port, order, connections=capacity, seconds=SECONDS)
    calm = loads(port, parts=[(order, capacity, 0.0), (page, BROWSERS, PAUSE)], seconds=SECONDS)[1]
    rush, browsing = loads(
        port, parts=[(order, TIMES * capacity, 0.0), (page, BROWSERS, PAUSE)], seconds=SECONDS
    )
    return {
        "what": f"overload, {TIMES} x",
        "build": "ours",
        "per_second": round(rush.rate(201), 1),
        "p50_ms": round(rush.percentile(50, 201), 1),
        "p99_ms": round(rush.percentile(99, 201), 1),
        "refused": rush.statuses[503],
        "peak_per_second": round(peak.rate(201), 1),
        "refused_p99_ms": round(rush.percentile(99, 503), 1),
        "refused_late": _late(rush),
        "without_retry_after": rush.without_retry_after,
        "page_p95_ms": round(browsing.percentile(95, 200), 1),
        "page_p95_calm_ms": round(calm.percentile(95, 200), 1),
    }


def _late(rush: Load) -> int:
    return sum(latency > WAIT_MS for latency in rush.latencies.get(503, []))

"""`bench http`: the web process with 64 connections, alone or in turns with another build.

Each build has servers of its own; no relay and no worker runs. `builds` starts them, `client` is
the load, `filling` the shop's contents, `overload` the rush, `judgement` the targets.
"""

import json
import secrets
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from orders.benchmarks.http.builds import Build, Served, running
from orders.benchmarks.http.client import Load, get, load, post_json
from orders.benchmarks.http.judgement import judge
from orders.benchmarks.http.overload import measure_overload
from project.benchmarks import Report
from project.local.env import ROOT

CONNECTIONS = 64
ROUNDS = 3
"""The builds alternate, so that other load on the machine hits both. The median round counts."""
SECONDS = 4.0
"""Per round, after a warm-up of one second."""
SKU, SLUG = "KIT-MUG-BLUE", "stoneware-mug"
"""A product of the demo."""
NO_OP = "no-op view"
OURS, OTHER = "ours", "other"
GOOD = (200, 201)
Round = tuple[Load, dict[str, float]]
"""What the client saw, and the CPU seconds of each part meanwhile."""
_numbers = count()


def order() -> bytes:
    """Return the request for a new order by a new shopper."""
    body = {
        "name": "Ada Lovelace",
        "email": f"ada{next(_numbers)}@example.org",
        "lines": [{"sku": SKU, "quantity": 1}],
    }
    key = secrets.token_urlsafe(24)
    return post_json("/api/v1/orders", json.dumps(body).encode(), **{"Idempotency-Key": key})


REQUESTS: dict[str, Callable[[], bytes]] = {
    NO_OP: get("/api/v1/no-op"),
    "/healthz": get("/healthz"),
    "POST order": order,
    "home": get("/"),
    "product page": get(f"/products/{SLUG}/"),
    "list by API": get("/api/v1/products"),
    "product by API": get(f"/api/v1/products/{SKU}"),
}


def bench_http(against: Path | None = None) -> Report:
    """Measure each kind of request, with `against` in turns with that build, then the overload."""
    builds = [Build(ROOT, application="project.no_op")]
    if against is not None:
        builds.append(Build(against))
    with running(builds) as served:
        by_name = dict(zip((OURS, OTHER), served, strict=False))
        rows = [row for what in REQUESTS for row in _in_turns(what, by_name)]
        rows.append(measure_overload(by_name[OURS].port, order, get("/"), capacity=CONNECTIONS))
    return judge(rows)


def _in_turns(what: str, builds: dict[str, Served]) -> list[dict[str, Any]]:
    """Return a row for each build; the other one has no view that does nothing."""
    builds = {name: build for name, build in builds.items() if name == OURS or what != NO_OP}
    make = REQUESTS[what]
    for build in builds.values():
        load(build.port, make, connections=CONNECTIONS, seconds=1.0)
    rounds: dict[str, list[Round]] = {name: [] for name in builds}
    for _round in range(ROUNDS):
        for name, build in builds.items():
            before = build.cpu_seconds()
            measured = load(build.port, make, connections=CONNECTIONS, seconds=SECONDS)
            after = build.cpu_seconds()
            rounds[name].append((measured, {part: after[part] - before[part] for part in after}))
    return [_row(what, name, measured) for name, measured in rounds.items()]


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

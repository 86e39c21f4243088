"""`bench http`: the web process with 64 connections, alone or in turns with another build.

Each build has servers of its own; no relay and no worker runs. `builds` starts them, `client` is
the load, `rounds` measures, `filling` is the shop's contents, `overload` the rush, `judgement` the
targets. `processes` is a benchmark of its own: the same by the number of web processes.
"""

import html
import json
import re
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from orders.benchmarks.http.builds import Build, running
from orders.benchmarks.http.client import get, post_json
from orders.benchmarks.http.judgement import judge
from orders.benchmarks.http.overload import measure_overload
from orders.benchmarks.http.rounds import CONNECTIONS, in_turns, once
from orders.shop.progress import POLL_INTERVALS
from project.benchmarks import Report
from project.local.env import ROOT

SKU, SLUG = "KIT-MUG-BLUE", "stoneware-mug"
"""A product of the demo."""
NO_OP = "no-op view"
POLL = "poll of an order"
FIRST = "POST order, first 1.5 s"
OURS, OTHER = "ours", "other"
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
    """Measure each kind of request, with `against` in turns with that build, then the overload.

    The first orders come right after the start.
    """
    builds = [Build(ROOT, application="project.no_op")]
    if against is not None:
        builds.append(Build(against))
    with running(builds) as served:
        by_name = dict(zip((OURS, OTHER), served, strict=False))
        ours = {OURS: by_name[OURS]}  # the other build has no view that does nothing
        rows = once(FIRST, order, by_name)
        rows += [
            row
            for what, make in REQUESTS.items()
            for row in in_turns(what, make, ours if what == NO_OP else by_name)
        ]
        poll = get(_poll_of_an_order(by_name[OURS].port))
        rows += in_turns(POLL, poll, ours)
        rows.append(measure_overload(by_name[OURS].port, order, get("/"), capacity=CONNECTIONS))
    return judge(rows)


def _poll_of_an_order(port: int) -> str:
    """Place an order and return what its page asks for while nothing changes: no worker runs.

    The page's version changes with its pace. So the first pace, of some seconds, is waited out: the
    second one lasts longer than the measurement.
    """
    body = {"name": "Ada", "email": "ada@example.org", "lines": [{"sku": SKU, "quantity": 1}]}
    headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(24)}
    with closing(HTTPConnection("localhost", port)) as shop:
        shop.request("POST", "/api/v1/orders", json.dumps(body), headers)
        placed = json.load(shop.getresponse())
    first_pace, _seconds = POLL_INTERVALS[0]
    time.sleep(first_pace.total_seconds() + 1)
    with closing(HTTPConnection("localhost", port)) as shop:
        shop.request("GET", f"/orders/{placed['id']}/")
        page = shop.getresponse().read().decode()
    found = re.search(r'class="progress" hx-get="([^"]+)"', page)
    assert found, "the page of a new order polls"
    return html.unescape(found[1])

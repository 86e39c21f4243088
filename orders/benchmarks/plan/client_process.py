"""A web process of the shop of several databases: clients, and writers for each node.

`manage.py shell` runs `main`. It prints "ready", then for each question on a line of its input, as
JSON, the answer on a line.
"""

import json
import sys
import threading
import time
from typing import Any

from django.db import connection

from orders.benchmarks.plan import commits
from orders.benchmarks.plan.nodes import Nodes, Parts
from orders.placing.writers import drain
from project.group_commit import GroupCommitError

WARM_UP_CLIENTS = 8


def main(urls: list[str]) -> None:
    nodes = Nodes(urls)
    _load(nodes, clients=WARM_UP_CLIENTS, seconds=1.0, lines=2, share=1.0)
    print("ready", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer: Any = (
            commits.measure(nodes, orders=question["orders"])
            if "orders" in question
            else _load(nodes, **question)
        )
        print(json.dumps(answer), flush=True)
    nodes.drain()
    drain()


def _load(
    nodes: Nodes, *, clients: int, seconds: float, lines: int, share: float
) -> dict[str, Any]:
    """Let each client place one order after the other for so long; return what it took."""
    basket = nodes.basket(lines=lines, share=share)
    latencies: list[float] = []
    failed: list[str] = []
    before, python = nodes.figures(), time.process_time()
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_shop, args=(nodes, basket, began + seconds, latencies, failed))
        for _client in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    after = nodes.figures()
    return {
        "seconds": taken,
        "latencies": [round(latency, 5) for latency in latencies],
        "failed": failed,
        "python": time.process_time() - python,
        "writers": {
            kind: {name: after[kind][name] - before[kind][name] for name in after[kind]}
            for kind in after
        },
    }


def _shop(
    nodes: Nodes, basket: Parts, until: float, latencies: list[float], failed: list[str]
) -> None:
    while (started := time.perf_counter()) < until:
        try:
            nodes.place(basket.request())
        except GroupCommitError as error:
            failed.append(repr(error))
        else:
            latencies.append(time.perf_counter() - started)
    connection.close()

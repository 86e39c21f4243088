"""What a batch costs that is committed on one node, on two, or on two by prepared transactions.

- *one node*: each order's two lines are of one node. Half of the batch is on either node.
- *two commits*: each order has a part on either node. Both nodes commit at the same time, each on
  its own.
- *prepared*: the same, but each node prepares first, and commits when both have (PREPARE
  TRANSACTION). No order is half there at any time; rows stay locked over two waits for the disk.
  PostgreSQL refuses to prepare a transaction with a NOTIFY, so the bell rings after it.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any
from uuid import uuid4

from django.db import connections, transaction

from orders.benchmarks.plan.nodes import Node, Nodes
from orders.lifecycle.transitions import cancel
from orders.models import Order
from orders.placing.draft import Draft
from orders.placing.stock_writer import StockWriter
from project.jobs.bell import RING

ONE, TWO, PREPARED, TAKEN_BACK = "one node", "two commits", "prepared", "taken back"
ROUNDS = 15
Batch = tuple[Node, list[Draft]]


def measure(nodes: Nodes, *, orders: int) -> dict[str, float]:
    """Return the median milliseconds of a batch of so many orders, by the way of its commit.

    TAKEN_BACK is one order alone, whose other part was refused: it is cancelled.
    """
    ways: dict[str, tuple[float, Callable[[list[Batch], ThreadPoolExecutor], None]]] = {
        ONE: (0.0, _commit),
        TWO: (1.0, _commit),
        PREPARED: (1.0, _prepare),
    }
    taken: dict[str, list[float]] = {name: [] for name in (*ways, TAKEN_BACK)}
    with ThreadPoolExecutor(len(nodes.all)) as threads:
        for _round in range(ROUNDS):
            for name, (share, commit) in ways.items():
                batches = _batches(nodes, orders, share)
                began = time.perf_counter()
                commit(batches, threads)
                taken[name].append(time.perf_counter() - began)
        # Each thread closes its own connections.
        list(threads.map(lambda _node: connections.close_all(), nodes.all))
    for order_id in Order.objects.order_by("-number").values_list("pk", flat=True)[:ROUNDS]:
        began = time.perf_counter()
        cancel(order_id=order_id, reason="Its other part was refused.")
        taken[TAKEN_BACK].append(time.perf_counter() - began)
    return {name: round(1000 * median(seconds), 2) for name, seconds in taken.items()}


def _batches(nodes: Nodes, orders: int, share: float) -> list[Batch]:
    basket = nodes.basket(lines=2, share=share)
    found: dict[str, Batch] = {}
    for _order in range(orders):
        for node, draft in nodes.drafts(basket.request()):
            found.setdefault(node.alias, (node, []))[1].append(draft)
    return list(found.values())


def _commit(batches: list[Batch], threads: ThreadPoolExecutor) -> None:
    def commit(batch: Batch) -> None:
        node, drafts = batch
        with transaction.atomic(using=node.alias):
            StockWriter().apply(connections[node.alias], drafts)

    list(threads.map(commit, batches))


def _without_bell(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    return execute(sql.replace(RING, "NULL"), params, many, context)


def _prepare(batches: list[Batch], threads: ThreadPoolExecutor) -> None:
    name = uuid4().hex

    def prepare(batch: Batch) -> None:
        node, drafts = batch
        own = connections[node.alias]
        with transaction.atomic(using=node.alias), own.cursor() as cursor:
            with own.execute_wrapper(_without_bell):
                StockWriter().apply(own, drafts)
            cursor.execute(f"PREPARE TRANSACTION '{name}'")

    def commit(batch: Batch) -> None:
        with connections[batch[0].alias].cursor() as cursor:
            cursor.execute(f"COMMIT PREPARED '{name}'")
            cursor.execute(f"SELECT {RING}")

    list(threads.map(prepare, batches))
    list(threads.map(commit, batches))

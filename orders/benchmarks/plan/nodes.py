"""A shop of several databases: each product and its orders on one node, by the product's id.

An order whose products are on two nodes is two parts, each an order of its node: with its lines,
its stock and its sales. Both are committed at the same time; if one is refused, the other is to be
taken back.
Every process has a pair of writers for each node. Only the benchmark places orders so.
"""

import copy
import threading
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from secrets import SystemRandom
from typing import Any
from uuid import uuid5

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orders.benchmarks.placement.shop import Basket
from orders.models import Product
from orders.placing.draft import Draft
from orders.placing.identity import order_ids
from orders.placing.offers import look_up
from orders.placing.placement import DEADLINE, GRACE, count_sales
from orders.placing.pricing import price
from orders.placing.request import OrderRequest
from orders.placing.writers import Writers, start_writers
from project.conf.database import database
from project.group_commit import GroupCommitter

_random = SystemRandom()


@dataclass(frozen=True)
class Parts(Basket):
    """Orders of `lines` products: of one node, or with this probability of two."""

    skus_by_node: tuple[tuple[str, ...], ...] = ()
    share: float = 0.0

    def skus(self) -> list[str]:
        nodes = range(len(self.skus_by_node))
        first = _random.choice(nodes)
        others = [node for node in nodes if node != first]
        second = _random.choice(others) if others and _random.random() < self.share else first
        if first == second:
            return _random.sample(self.skus_by_node[first], self.lines)
        return [_random.choice(self.skus_by_node[node]) for node in (first, second)]


@dataclass
class Spent:
    """What a writer has done so far, and what it took: seconds of CPU."""

    batches: int = 0
    items: int = 0
    thread: int = 0
    backend: int = 0
    """The process of PostgreSQL that serves it."""

    def figures(self) -> dict[str, float]:
        python = time.clock_gettime(time.pthread_getcpuclockid(self.thread)) if self.thread else 0.0
        return {
            "batches": self.batches,
            "items": self.items,
            "python": python,
            "database": _computed(self.backend),
        }


class Node:
    """One database, and this process's writers for it."""

    def __init__(self, number: int, url: str) -> None:
        self.alias = f"node{number}"
        settings = deepcopy(connections.settings["writer"])
        there = database(url)
        settings.update(
            (name, there[name]) for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")
        )
        connections.settings[self.alias] = settings
        self.writers: Writers = start_writers(name=f"{self.alias}-", using=self.alias)
        self.spent = {"stock": _metered(self.writers.stock), "sales": _metered(self.writers.sales)}


def _metered(committer: "GroupCommitter[Any, Any]") -> Spent:
    """Count what the committer's main thread applies."""
    spent, apply = Spent(), committer.apply

    def counted(own: BaseDatabaseWrapper, items: Sequence[Any]) -> Sequence[Any]:
        spent.thread = threading.get_ident()
        answers = apply(own, items)
        session: Any = own.connection
        spent.backend = session.info.backend_pid
        spent.batches += 1
        spent.items += len(items)
        return answers

    committer.apply = counted
    return spent


def _computed(pid: int) -> float:
    """Return the CPU seconds of a process by the kernel; 0 if there is none."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


class Nodes:
    """All nodes, as one web process sees them."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.all = [Node(number, url) for number, url in enumerate(urls)]
        by_node: list[list[str]] = [[] for _node in self.all]
        for product_id, sku in Product.objects.values_list("pk", "sku"):
            by_node[self.number_of(product_id)].append(sku)
        self._skus = tuple(map(tuple, by_node))

    def number_of(self, product_id: int) -> int:
        return product_id % len(self.all)

    def basket(self, *, lines: int, share: float) -> Parts:
        return Parts("parts", lines, skus_by_node=self._skus, share=share)

    def drafts(self, request: OrderRequest) -> list[tuple[Node, Draft]]:
        """Price the order as the shop does, and return its parts with their nodes."""
        ids = order_ids(source=request.source, user_id=None, key=request.key)
        _placed, offers = look_up(order_ids=ids, skus=request.merged_lines, country="")
        whole = price(request, order_id=ids[0], offers=offers)
        connection.close()  # as `submit`: back to the pool while it waits
        numbers = sorted({self.number_of(line.product_id) for line in whole.lines})
        return [
            (self.all[number], whole if len(numbers) == 1 else self._part(whole, number, numbers))
            for number in numbers
        ]

    def _part(self, whole: Draft, number: int, numbers: list[int]) -> Draft:
        lines = tuple(line for line in whole.lines if self.number_of(line.product_id) == number)
        order = copy.copy(whole.order)
        order.items_total = order.total = sum((line.total for line in lines), Decimal(0))
        if number == numbers[0]:  # the jobs are this one's
            return replace(whole, order=order, lines=lines)
        order.id = uuid5(whole.order.id, str(number))
        return replace(whole, order=order, lines=lines, notifications=(), media_jobs=())

    def place(self, request: OrderRequest) -> None:
        """Place the order, and return when all its parts are committed and their sales counted."""
        deadline = time.monotonic() + DEADLINE
        waiting = []
        for node, draft in self.drafts(request):
            waiting.append(node.writers.stock.submit(draft, deadline=deadline))
            if (sales := count_sales(node.writers, draft, deadline)) is not None:
                waiting.append(sales)
        for submission in waiting:
            submission.result(grace=GRACE)

    def figures(self) -> dict[str, dict[str, float]]:
        """Return what the writers of each kind have done and computed, over all nodes."""
        return {
            kind: {
                name: sum(node.spent[kind].figures()[name] for node in self.all)
                for name in Spent().figures()
            }
            for kind in ("stock", "sales")
        }

    def drain(self) -> None:
        for node in self.all:
            node.writers.stock.drain(timeout=10)
            node.writers.sales.drain(timeout=10)

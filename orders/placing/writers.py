"""The two writer threads of a process. The first order starts them.

Synthetic orders have a pair of their own, on connections that see only the performance run's
tables.
"""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from orders.placing.draft import Draft, Taken
from orders.placing.row_patience import RowPatience
from orders.placing.sales_writer import Count, SalesWriter, Settle
from orders.placing.stock_writer import Item, StockWriter
from project import trail
from project.database.run_schema import ALIAS
from project.group_commit import GroupCommitter, drain_on_exit

WEB_THREADS = 64
"""Threads of one web process (`project/gunicorn.py`)."""
MAX_STUCK = WEB_THREADS // 4
"""Orders that may wait for locked rows if nobody knows when these become free."""


@dataclass(frozen=True)
class Writers:
    stock: GroupCommitter[Item, Any]
    sales: GroupCommitter[Count | Settle, Any]


_lock = threading.Lock()
_writers: Writers | None = None
_synthetic: Writers | None = None


def start_writers(*, name: str = "", using: str = "writer") -> Writers:
    """Start a pair of writers; their threads are called `name` and what they are."""
    stock, sales = StockWriter(), SalesWriter()
    return Writers(
        stock=GroupCommitter(
            name=f"{name}stock-writer",
            apply=stock.apply,
            patience=RowPatience(
                name="stock-writer",
                locks=stock.locks,
                apply=stock.apply,
                products=lambda item: item.product_ids,
            ),
            committed=partial(_tell, f"{name}stock-writer"),
            traceparent=lambda item: item.traceparent,
            using=using,
            max_stuck=MAX_STUCK,
        ),
        sales=GroupCommitter(
            name=f"{name}sales-writer",
            apply=sales.apply,
            patience=RowPatience(
                name="sales-writer", locks=sales.locks, apply=sales.apply, products=_counted
            ),
            # A settle must not overtake the count that it corrects.
            key=lambda request: request.order_id,
            traceparent=lambda request: request.traceparent if isinstance(request, Count) else "",
            using=using,
            max_stuck=MAX_STUCK,
        ),
    )


def _tell(writer: str, batch: Sequence[tuple[Item, Any]]) -> None:
    """Log which orders a batch has written, and which requests asked for them."""
    if trail.is_told():
        orders = [
            trail.ids(order_id=item.order.pk, request_id=item.request_id)
            for item, answer in batch
            if isinstance(item, Draft) and isinstance(answer, Taken)
        ]
        if orders:
            trail.tell("orders written", writer=writer, orders=orders)


def _counted(request: Count | Settle) -> set[int] | None:
    """A settle finds its products when it is applied: it may be any."""
    return set(request.sold) if isinstance(request, Count) else None


def writers() -> Writers:
    """Return this process's writers; a forked child starts its own."""
    global _writers
    with _lock:
        if _writers is None:
            _writers = start_writers()
        return _writers


def synthetic_writers() -> Writers:
    """Return this process's writers of synthetic orders."""
    global _synthetic
    with _lock:
        if _synthetic is None:
            _synthetic = start_writers(name="synthetic-", using=ALIAS)
        return _synthetic


def drain(*, timeout: float = 15.0) -> bool:
    """Finish the queued requests within `timeout` seconds and stop; True if all are finished.

    gunicorn's `worker_exit` calls it when a web process ends, and atexit when a command ends.
    """
    global _writers, _synthetic
    with _lock:
        pairs, _writers, _synthetic = [_writers, _synthetic], None, None
    deadline = time.monotonic() + timeout
    # Stock stops first: an order that is placed meanwhile can still settle its sales.
    running = [pair for pair in pairs if pair is not None]
    stock = [pair.stock.drain(timeout=_until(deadline)) for pair in running]
    sales = [pair.sales.drain(timeout=_until(deadline)) for pair in running]
    return all((*stock, *sales))


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _reset_in_child() -> None:
    """Drop the writers in a forked child: threads don't survive a fork."""
    global _writers, _synthetic, _lock
    _writers, _synthetic, _lock = None, None, threading.Lock()


os.register_at_fork(after_in_child=_reset_in_child)
drain_on_exit(drain)

"""The two writer threads of a process. The first order starts them."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Any

from orders.placing.row_patience import RowPatience
from orders.placing.sales_writer import Count, SalesWriter, Settle
from orders.placing.stock_writer import Draft, StockWriter
from project.group_commit import GroupCommitter, drain_on_exit

WEB_THREADS = 64
"""Threads of one web process (`project/gunicorn.py`)."""
MAX_STUCK = WEB_THREADS // 4
"""Orders that may wait for locked rows if nobody knows when these become free."""


@dataclass(frozen=True)
class Writers:
    stock: GroupCommitter[Draft, Any]
    sales: GroupCommitter[Count | Settle, Any]


_lock = threading.Lock()
_writers: Writers | None = None


def start_writers(*, name: str = "") -> Writers:
    """Start a pair of writers; their threads are called `name` and what they are."""
    stock, sales = StockWriter(), SalesWriter()
    return Writers(
        stock=GroupCommitter(
            name=f"{name}stock-writer",
            apply=stock.apply,
            patience=RowPatience(
                name="stock-writer", locks=stock.locks, apply=stock.apply, products=_drafted
            ),
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
            max_stuck=MAX_STUCK,
        ),
    )


def _drafted(draft: Draft) -> set[int]:
    return {line.product_id for line in draft.lines}


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


def drain(*, timeout: float = 15.0) -> bool:
    """Finish the queued requests within `timeout` seconds and stop; True if all are finished.

    gunicorn's `worker_exit` calls it when a web process ends, and atexit when a command ends.
    """
    global _writers
    with _lock:
        stopping, _writers = _writers, None
    if stopping is None:
        return True
    deadline = time.monotonic() + timeout
    # Stock stops first: an order that is placed meanwhile can still settle its sales.
    stock = stopping.stock.drain(timeout=timeout)
    return stopping.sales.drain(timeout=max(0.0, deadline - time.monotonic())) and stock


def _reset_in_child() -> None:
    """Drop the writers in a forked child: threads don't survive a fork."""
    global _writers, _lock
    _writers, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_reset_in_child)
drain_on_exit(drain)

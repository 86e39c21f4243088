"""The two writer threads of a process. The first order starts them."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Any

from orders.placing.sales_writer import Count, SalesWriter, Settle
from orders.placing.stock_writer import Draft, StockWriter
from project.group_commit import GroupCommitter, drain_on_exit

WEB_THREADS = 64
"""Threads of one web process (`project/gunicorn.py`)."""


@dataclass(frozen=True)
class Writers:
    stock: GroupCommitter[Draft, Any]
    sales: GroupCommitter[Count | Settle, Any]


_lock = threading.Lock()
_writers: Writers | None = None


def writers() -> Writers:
    """Return this process's writers; a forked child starts its own."""
    global _writers
    with _lock:
        if _writers is None:
            # At most a quarter of the web threads may wait for locked rows.
            max_deferred = WEB_THREADS // 4
            _writers = Writers(
                stock=GroupCommitter(
                    name="stock-writer", apply=StockWriter().apply, max_deferred=max_deferred
                ),
                sales=GroupCommitter(
                    name="sales-writer", apply=SalesWriter().apply, max_deferred=max_deferred
                ),
            )
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

"""The two writer threads of a process, started when the first order needs them."""

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
            # At most a quarter of the web threads may wait for rows that somebody has locked.
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
    """Finish what waits and stop the writers, in `timeout` seconds; True if all was finished.

    Called when the process ends: by gunicorn's `worker_exit`, and by atexit in commands.
    """
    global _writers
    with _lock:
        stopping, _writers = _writers, None
    if stopping is None:
        return True
    deadline = time.monotonic() + timeout
    # Stock first: an order that is placed while stopping may still settle its sales.
    stock = stopping.stock.drain(timeout=timeout)
    return stopping.sales.drain(timeout=max(0.0, deadline - time.monotonic())) and stock


def _reset_in_child() -> None:
    """Threads and their connections don't survive a fork: the child must not touch them."""
    global _writers, _lock
    _writers, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_reset_in_child)
drain_on_exit(drain)

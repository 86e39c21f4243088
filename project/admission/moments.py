"""Gauges of a web process, looked at once a second by the thread that accepts connections.

What others count is told then, too (`project.figures.noting`).
"""

import logging
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper

from project.figures.noting import Counter, Gauge, count, flush, show
from project.group_commit import waiting_items

logger = logging.getLogger(__name__)

ADMISSION_QUEUE = Gauge("tandem_admission_queue", "Orders that wait for a thread")
THREADS = Gauge("tandem_web_threads_busy", "Requests that have a thread or wait for one")
WRITER_QUEUE = Gauge("tandem_writer_queue", "Items that wait for a writer", labels=("writer",))
POOL_WAITING = Gauge("tandem_pool_waiting", "Threads that wait for a connection of the pool")
POOL_WAITS = Counter("tandem_pool_waits", "Requests that waited for a connection of the pool")
POOL_WAIT_SECONDS = Counter("tandem_pool_wait_seconds", "How long they waited, together")
POOL_ERRORS = Counter("tandem_pool_errors", "Requests that got no connection in time")


class Moments:
    """What one process remembers of its last look."""

    def __init__(self) -> None:
        self._pool: dict[str, int] = {}
        self._is_told = False

    def look(self, *, waiting_orders: int, busy_threads: int) -> None:
        """Show the gauges of this moment, and tell all that was counted."""
        show(ADMISSION_QUEUE, value=waiting_orders)
        show(THREADS, value=busy_threads)
        for writer, items in waiting_items().items():
            show(WRITER_QUEUE, writer, value=items)
        self._look_at_pool()
        try:
            flush()
        except (OSError, ValueError) as error:
            # A disk that is full must not end the thread that lets shoppers in.
            if not self._is_told:
                logger.warning("figures can't be kept: %s", error)
            self._is_told = True

    def _look_at_pool(self) -> None:
        # Not by `connection.pool`, which would make one where there is none yet.
        pools: dict[str, Any] = vars(DatabaseWrapper)["_connection_pools"]
        pool = pools.get("default")
        if pool is None:
            return
        now = pool.get_stats()
        show(POOL_WAITING, value=now.get("requests_waiting", 0))
        count(POOL_WAITS, amount=self._more(now, "requests_queued"))
        count(POOL_WAIT_SECONDS, amount=self._more(now, "requests_wait_ms") / 1000)
        count(POOL_ERRORS, amount=self._more(now, "requests_errors"))
        self._pool = now

    def _more(self, now: dict[str, int], name: str) -> int:
        return max(0, now.get(name, 0) - self._pool.get(name, 0))

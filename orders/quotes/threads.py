"""The threads that ask carriers: a few for each carrier of a process, started when it is asked.

A carrier has threads of its own, so one that hangs can take no other's. Each use of a thread ends
by the request's deadline: but for a name server's answer, which the system waits for.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

from project.group_commit import drain_on_exit

T = TypeVar("T")

THREADS = 8
"""Of one carrier, in one process."""

_lock = threading.Lock()
_pools: dict[str, ThreadPoolExecutor] = {}


def in_thread(carrier: str, work: Callable[[], T]) -> Future[T]:
    """Run the work in one of the carrier's threads, or queue it while all are taken."""
    with _lock:
        pool = _pools.get(carrier)
        if pool is None:
            name = f"quotes-{carrier}"
            pool = _pools[carrier] = ThreadPoolExecutor(THREADS, thread_name_prefix=name)
        return pool.submit(_worked, work)


def drain() -> None:
    """End the threads; what waits is cancelled, and what runs ends by its deadline.

    gunicorn's `worker_exit` calls it when a web process ends, and atexit when a command ends.
    """
    global _pools
    with _lock:
        stopping, _pools = _pools, {}
    for pool in stopping.values():
        pool.shutdown(wait=False, cancel_futures=True)
    for pool in stopping.values():
        pool.shutdown(wait=True)


def _worked(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        # Carriers don't use the database. One that did all the same must not keep a connection.
        connections.close_all()


def _reset_in_child() -> None:
    """Drop the pools in a forked child: threads don't survive a fork."""
    global _pools, _lock
    _pools, _lock = {}, threading.Lock()


os.register_at_fork(after_in_child=_reset_in_child)
drain_on_exit(drain)

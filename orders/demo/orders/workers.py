"""The threads that write batches: one makes rows while PostgreSQL writes those of the other."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

Lot = TypeVar("Lot")
THREADS = 2
AT_LEAST = 8_000
"""Fewer orders are written by the caller's thread."""


def write_lots(write: Callable[[Lot], int], lots: Iterable[Lot], *, orders: int) -> Iterator[int]:
    """Write the lots, each in a transaction of its own; yield how many orders each had."""
    if orders < AT_LEAST:
        yield from map(write, lots)
        return

    def write_one(lot: Lot) -> int:
        try:
            return write(lot)
        finally:
            connection.close()  # this thread's own

    with ThreadPoolExecutor(THREADS, thread_name_prefix="demo-orders") as pool:
        coming: deque[Future[int]] = deque()
        try:
            for lot in lots:
                coming.append(pool.submit(write_one, lot))
                if len(coming) > THREADS:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()

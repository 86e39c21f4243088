"""What a worker's process may hold: so much at most, and no more than it needs at the moment."""

import ctypes
import resource

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h."""
SMALL = 128 * 1024
"""Bytes. What is larger is the system's again as soon as it is freed."""


def limit_allocations(megabytes: int) -> None:
    """Bound what this process may allocate.

    A decoder that eats memory then fails, or dies alone, before the system's OOM killer chooses
    a victim: PostgreSQL, perhaps.
    """
    # Not RLIMIT_AS: libvips' threads reserve addresses that they never use.
    limit = megabytes * 1024 * 1024
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def return_freed_memory() -> None:
    """Have freed memory go back to the system. Without glibc, do nothing.

    By itself glibc raises its thresholds with each large block that is freed and keeps a heap for
    each thread: a worker would hold more with each picture, which it doesn't need for the next.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, SMALL)
        mallopt(M_TRIM_THRESHOLD, SMALL)
        mallopt(M_ARENA_MAX, 1)

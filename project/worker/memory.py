"""The memory of a worker's process: a limit, and the return of freed memory to the system."""

import ctypes
import resource

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""glibc's malloc.h."""
SMALL = 128 * 1024
"""Bytes. A larger block returns to the system as soon as it is freed."""


def limit_allocations(megabytes: int) -> None:
    """Limit the memory that this process may allocate.

    A decoder that allocates too much then fails, or dies alone, before the system's OOM killer
    chooses a process: PostgreSQL, perhaps.
    """
    # Not RLIMIT_AS: libvips' threads reserve addresses that they never use.
    limit = megabytes * 1024 * 1024
    _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def return_freed_memory() -> None:
    """Make freed memory return to the system. Without glibc, do nothing.

    By default glibc raises its thresholds with each large block that is freed and keeps a heap for
    each thread: a worker would hold more memory with each picture, and not need it for the next.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, SMALL)
        mallopt(M_TRIM_THRESHOLD, SMALL)
        mallopt(M_ARENA_MAX, 1)

"""What a process keeps for a moment, because many ask for the same: pages of the catalogue.

Nothing is kept for longer than its seconds, counted from before it was read. One thread reads it
anew when half of them are over, and the others go on with what there is; they wait only if there
is nothing, and never for long.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_WAIT = 1.0
"""Seconds that a thread waits for another one to read. Then it reads for itself: without the
database, which answers nobody, they must not stand in line."""


class _Entry(Generic[T]):
    def __init__(self) -> None:
        self.reading = threading.Lock()
        self.found: tuple[float, T] | None = None
        """The time before it was read, and what was read."""

    def young(self, seconds: float) -> tuple[T] | None:
        """Return what was read in the last seconds, in a tuple, because it may be anything."""
        if self.found is None or time.monotonic() - self.found[0] >= seconds:
            return None
        return (self.found[1],)


class Kept(Generic[T]):
    """What was read by key; the least used keys are dropped."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], T], *, seconds: float) -> T:
        """Return what `read` gave less than so many seconds ago, else read it. 0: always read it.

        What `read` raises is raised, and not kept.
        """
        if not seconds:
            return read()
        entry = self._entry(key)
        if found := entry.young(seconds / 2):
            return found[0]
        found = entry.young(seconds)
        if not entry.reading.acquire(timeout=0 if found else LONGEST_WAIT):
            return found[0] if found else read()
        try:
            if found := entry.young(seconds / 2):  # another thread read it while this one waited
                return found[0]
            before = time.monotonic()
            value = read()
            entry.found = (before, value)
            return value
        finally:
            entry.reading.release()

    def _entry(self, key: Hashable) -> _Entry[T]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)
            return entry

"""Turns: how many orders may be in the making at a time, first come first served."""

import threading
from collections import deque


class Turns:
    """A semaphore that hands a turn that ends to the one who waits longest.

    Python's own lets newcomers take it first: in a rush some wait for ever.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def begin(self, *, timeout: float) -> bool:
        """Wait for a turn, so many seconds at most; True if it is ours."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=timeout):
            return True
        with self._lock:
            if called in self._waiting:
                self._waiting.remove(called)
                return False
        return True  # it was handed over just now

    def end(self) -> None:
        """Give the turn on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

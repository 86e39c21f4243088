"""The queue before the threads: first come, first served, each for so many seconds at most."""

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class AdmissionQueue(Generic[T]):
    """Those who wait; only the thread that accepts connections uses it. Times are its clock's."""

    def __init__(self, *, patience: float, most: int) -> None:
        self._patience = patience
        self._most = most
        self._waiting: deque[tuple[float, T]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, item: T, *, now: float) -> bool:
        """Wait from now on; False if so many wait that this one would wait in vain."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append((now + self._patience, item))
        return True

    def next(self) -> T:
        """Take out the one that waits longest. Raises IndexError if nobody waits."""
        return self._waiting.popleft()[1]

    def late(self, *, now: float) -> list[T]:
        """Take out those whose time is over."""
        late = []
        while self._waiting and self._waiting[0][0] <= now:
            late.append(self.next())
        return late

    def seconds_left(self, *, now: float) -> float | None:
        """Return how long the first one will still wait; None if nobody waits."""
        return max(0.0, self._waiting[0][0] - now) if self._waiting else None

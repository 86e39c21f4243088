"""A carrier's circuit breaker: one that keeps failing isn't asked for a while.

    closed ── three failures in a row ──▶ open, 15 s … 5 min ──▶ one request probes
      ▲                                                            │
      └──────────────────── it answers ────────────────────────────┘ it fails: twice the time

Each process keeps its own, in memory: a shopper's request then costs no write and no look-up for
it, and the price of that is that each web process finds out for itself, by three slow answers.
"""

import logging
import threading
import time
from collections.abc import Callable

from project.figures.noting import Gauge, show

OPEN = Gauge(
    "tandem_carrier_breaker_open",
    "1 while a web process of this machine doesn't ask the carrier",
    labels=("carrier",),
    mode="livemax",
)

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 3
FIRST_PAUSE = 15.0
"""Seconds."""
LONGEST_PAUSE = 300.0


class Breaker:
    """One carrier's. `clock` gives seconds that never go back."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._openings = 0
        self._closed_from = 0.0
        self._is_probing = False

    def admits(self) -> bool:
        """Tell whether the carrier may be asked now.

        Who is admitted calls `answered`, `failed` or `not_asked`.
        """
        with self._lock:
            if not self._openings:
                return True
            if self._is_probing or self._clock() < self._closed_from:
                return False
            self._is_probing = True
            return True

    def answered(self) -> None:
        """Note that the carrier answered: it is asked again by all."""
        with self._lock:
            if self._openings:
                logger.info("carrier %s answers again", self.name)
                show(OPEN, self.name, value=0)
            self._failures = self._openings = 0
            self._is_probing = False

    def failed(self) -> None:
        """Note that the carrier was late, broken or unreadable."""
        with self._lock:
            self._failures += 1
            is_probe, self._is_probing = self._is_probing, False
            if is_probe or (not self._openings and self._failures >= FAILURES_TO_OPEN):
                pause = min(FIRST_PAUSE * 2 ** min(self._openings, 10), LONGEST_PAUSE)
                self._openings += 1
                self._closed_from = self._clock() + pause
                logger.warning("carrier %s isn't asked for %d s", self.name, pause)
                show(OPEN, self.name, value=1)

    def not_asked(self) -> None:
        """Note that the admitted request never began: it says nothing of the carrier."""
        with self._lock:
            self._is_probing = False

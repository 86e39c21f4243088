"""How far back a relay's next look for ready jobs goes.

A job that is rung, claimed or done leaves its old place in the index of ready jobs; while an old
transaction is idle, nothing can be taken out of it. A look over the whole index then passes every
job that has been ready since that transaction began, some of them three times, many times a
second. So a look begins where the last one ended, and a whole one is the net every few seconds.
"""

import time

WHOLE_EVERY = 5.0
"""Seconds between two whole looks. A job that a short look can't see waits so long: one that was
queued by a transaction of more than `OVERLAP` seconds, or before the database's clock was put
forward."""
OVERLAP = 2.0
"""Seconds that a look goes back behind the start of the last one: a job is ready since its
transaction began, but is seen only after its COMMIT."""


class Looks:
    """The looks of one relay at one model."""

    def __init__(self) -> None:
        self._began_at = self._whole_at = 0.0
        self._seen_until: float | None = None
        self._is_whole = True

    def begin(self) -> float | None:
        """Begin a look; return how many seconds it goes back, or None for a whole one."""
        self._began_at = time.monotonic()
        self._is_whole = self._began_at >= self._whole_at + WHOLE_EVERY
        if self._is_whole or self._seen_until is None:
            return None
        return self._began_at - self._seen_until + OVERLAP

    def end(self, *, found_all: bool, oldest: float = 0.0) -> None:
        """End this look. What a full batch left is looked for again.

        `oldest`: for how many seconds the oldest of the batch had been ready. A long transaction
        queues its jobs further back than a look goes; those that the batch left are as old, and
        without this each further batch would wait for the next whole look.

        After an error the look isn't ended, and the next one goes back as far.
        """
        if self._is_whole:
            self._whole_at = self._began_at
        if found_all:
            self._seen_until = self._began_at
        elif self._seen_until is not None:
            self._seen_until = min(self._seen_until, self._began_at - oldest)

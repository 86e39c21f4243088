"""A way to PostgreSQL on which each statement is held back for a moment, by a seed."""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.project.gateway import Gateway

PAUSES = {0.0: 12, 0.002: 4, 0.008: 3, 0.03: 1}
"""Seconds that a statement may be held back, and how often among twenty. One is longer than a whole
transaction of another, so that any statement of the one may come between two of the other."""


class DelayingGateway(Gateway):
    """Forwards at once, and within `slowly` after a pause before each statement.

    A driver sends a statement in one piece and waits for its answer, so a piece is a statement.
    """

    request_queue_size = 128

    def __init__(self, url: str, *, seed: int) -> None:
        super().__init__(url)
        self._chance = random.Random(seed)
        self._is_slow = False

    @contextmanager
    def slowly(self) -> Iterator[None]:
        """Hold statements back during the block: the attack, but not what prepares it."""
        self._is_slow = True
        try:
            yield
        finally:
            self._is_slow = False

    def forward(self, data: bytes, *, to: socket.socket, outward: bool) -> None:
        if outward and self._is_slow:
            (pause,) = self._chance.choices(list(PAUSES), list(PAUSES.values()))
            time.sleep(pause)
        super().forward(data, to=to, outward=outward)

"""How long a delivery waits before its next attempt: ten attempts in 75 hours.

The pauses are those of the Standard Webhooks specification ("Retry Schedule").
"""

import random
from datetime import timedelta

PAUSES: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The pause after the first attempt, the second …; together 75 hours and 35 minutes."""
ATTEMPTS = len(PAUSES) + 1
LONGEST_REST = timedelta(minutes=5)
"""An endpoint that doesn't answer at all is tried so often, by one delivery."""
LONGEST_RETRY_AFTER = timedelta(hours=24)
"""The longest wait that an endpoint may ask for."""


def pause_after(attempts: int, *, at_least: timedelta | None = None) -> timedelta:
    """Return the pause after that many attempts, up to a tenth longer: not all come at once.

    `at_least` is what the endpoint asked for.
    """
    pause = PAUSES[attempts - 1] * random.uniform(1, 1.1)
    return max(pause, at_least or timedelta(0))


def rest_after(failures: int, *, at_least: timedelta | None = None) -> timedelta:
    """Return how long an endpoint is left alone after so many failures in a row: 1 s, 2 s, 4 s …"""
    rest = min(timedelta(seconds=2 ** min(failures - 1, 16)), LONGEST_REST)
    return max(rest, at_least or timedelta(0))

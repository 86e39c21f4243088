"""How much slower this machine is just now than one that has its two cores to itself.

A time bound is meant for such a machine. On one that others use too, a bound stretches in
proportion, so that the test judges the shop, and not the machine's load.
"""

import subprocess
import sys
import time
from functools import lru_cache
from statistics import median

WORK = [sys.executable, "-c", "import django.db.models, django.views.generic"]
QUIET_SECONDS = 0.35
"""The seconds of WORK on a quiet machine of two cores."""
MOST = 8.0
KEPT_SECONDS = 10.0
"""How long a measurement holds: it takes a second of a processor, and tests have many bounds."""


def stretched(seconds: float) -> float:
    """Return the time bound, stretched if the machine is slow now."""
    return seconds * _slowness(period=int(time.monotonic() / KEPT_SECONDS))


@lru_cache(maxsize=1)
def _slowness(*, period: int) -> float:
    """Return how many times slower than a quiet machine this one is; once a `period`."""
    return min(MOST, max(1.0, median(_measured() for _ in range(3)) / QUIET_SECONDS))


def _measured() -> float:
    began = time.monotonic()
    subprocess.run(WORK, check=True, timeout=60)
    return time.monotonic() - began

"""Sweeps: regular work that correctness needs, called by the relay.

An app registers its own in `sweeps.py`. Such work isn't left to beat: an operator can edit the
schedule, and beat can be down.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import Error, connections
from django.utils.module_loading import autodiscover_modules

from project.database.errors import is_passing
from project.models import Sweep as SweepRow

logger = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks for sweeps that are due."""


@dataclass
class Sweep:
    """Regular work that correctness needs. It must be idempotent."""

    name: str
    run: Callable[[], object]
    interval: float
    """Seconds."""
    due: float = 0.0


registered: list[Sweep] = []
"""Every sweep of the apps' `sweeps.py`."""


def sweep(*, every: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Make the relay call the function every `every` seconds; for an app's `sweeps.py`."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        registered.append(Sweep(name=function.__name__, run=function, interval=every))
        return function

    return register


def run_sweeps(is_stopping: Callable[[], bool]) -> None:
    """Call each sweep when it is due, until `is_stopping`.

    For a thread of its own: a long sweep must not delay the jobs.
    """
    autodiscover_modules("sweeps")
    while not is_stopping():
        for due in registered:
            if time.monotonic() < due.due or is_stopping():
                continue
            due.due = time.monotonic() + due.interval
            try:
                _run(due)
            except Error as error:
                logger.warning("%s: the database can't be used: %s", due.name, error)
                connections.close_all()
        time.sleep(INTERVAL)
    connections.close_all()


def _run(due: Sweep) -> None:
    """Call the sweep and record its result. Raises django.db.Error without a database."""
    try:
        result = due.run()
    except Exception as error:
        if is_passing(error):
            raise
        logger.exception("%s failed", due.name)
        SweepRow.objects.note(due.name, error=f"{type(error).__name__}: {error}")
    else:
        if result is not None:  # None: another relay runs it, or the sweep is off
            SweepRow.objects.note(due.name, result=str(result))

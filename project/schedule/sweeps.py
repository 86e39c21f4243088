"""Sweeps: regular work that correctness needs, called by the relay.

An app registers its own in `sweeps.py`. What correctness needs is not left to beat: a schedule
can be edited, and beat can be down. Each sweep has a thread and a connection of its own, with
bounds on locks and statements: one that waits for something holds up no other. How each is doing
stands in its row (`project.models.Sweep`), for the desk and the health pages.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import Error, connections
from django.utils.module_loading import autodiscover_modules

from project.database.errors import is_outage
from project.database.timeouts import bound_session
from project.models import Sweep as SweepRow
from project.schedule.passes import UnfinishedError

logger = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks whether the sweep is due."""
LATE = 60.0
"""Seconds without a run that is done, or three intervals, after which a sweep is late."""
NOTE_INTERVAL = 5.0
"""Seconds between two notes of a sweep that has nothing new to say."""


@dataclass
class Sweep:
    """Regular work that correctness needs. It must be idempotent."""

    name: str
    run: Callable[[], object]
    interval: float
    """Seconds."""
    due: float = 0.0
    noted: str | None = None
    """What this process noted last; None: nothing yet, or an error."""
    note_due: float = 0.0

    @property
    def allow(self) -> timedelta:
        """How long it may take to be done again."""
        return timedelta(seconds=max(LATE, 3 * self.interval))


registered: list[Sweep] = []
"""Every sweep of the apps' `sweeps.py`."""


def sweep(*, every: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Have the relay call the function every `every` seconds; put it in an app's `sweeps.py`.

    It returns what it did, or None if there is nothing to say; what it raises is shown at the
    desk. UnfinishedError is for what waits after all else is done.
    """

    def register(function: Callable[[], object]) -> Callable[[], object]:
        registered.append(Sweep(name=function.__name__, run=function, interval=every))
        return function

    return register


def start_sweeps(is_stopping: Callable[[], bool]) -> list[threading.Thread]:
    """Start a thread for each sweep, which calls it when it is due until `is_stopping`."""
    autodiscover_modules("sweeps")
    try:
        SweepRow.objects.expect_only(each.name for each in registered)
    except Error as error:
        logger.warning("the database can't be used: %s", error)
    threads = [
        threading.Thread(target=_repeat, args=[each, is_stopping], name=f"sweep-{each.name}")
        for each in registered
    ]
    for thread in threads:
        thread.start()
    return threads


def _repeat(each: Sweep, is_stopping: Callable[[], bool]) -> None:
    try:
        while not is_stopping():
            if time.monotonic() >= each.due:
                each.due = time.monotonic() + each.interval
                _run(each)
            time.sleep(INTERVAL)
    finally:
        connections.close_all()


def _run(each: Sweep) -> None:
    """Call the sweep and note what came of it. Raises nothing that a later run could answer."""
    try:
        bound_session()
        result = each.run()
        _note_done(each, None if result is None else str(result))
    except Exception as error:
        if isinstance(error, UnfinishedError):
            words = str(error)
            logger.warning("%s: %s", each.name, words)
        else:
            words = f"{type(error).__name__}: {error}"
            if isinstance(error, Error):
                logger.warning("%s: %s", each.name, words)
            else:
                logger.exception("%s failed", each.name)
        if is_outage(error):
            connections.close_all()
        _note_error(each, words)


def _note_done(each: Sweep, result: str | None) -> None:
    said = result if result is not None else each.noted or ""
    if said == each.noted and time.monotonic() < each.note_due:
        return
    SweepRow.objects.note_done(each.name, result=result, allow=each.allow)
    each.noted, each.note_due = said, time.monotonic() + NOTE_INTERVAL


def _note_error(each: Sweep, words: str) -> None:
    each.noted = None
    try:
        SweepRow.objects.note_error(each.name, words, allow=each.allow)
    except Error as error:
        logger.warning("%s: the database can't be used: %s", each.name, error)
        connections.close_all()

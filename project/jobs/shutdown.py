"""A stop takes seconds: the job that a worker or relay can't finish by then is released.

Otherwise it would stay `running`, with a lease that nobody holds, and count a lost worker: three
restarts during one long film would make it "worker died 3 times". Celery's own soft shutdown
doesn't do: it sleeps its whole time even if all is done after a second, and can't end threads.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import billiard
from django.db import Error, connection

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 8.0
"""Seconds that a stop leaves to the jobs in hand; many supervisors kill after ten."""


@dataclass(frozen=True)
class Work:
    """A claimed job, as far as a stop is concerned."""

    what: object
    """The job, for the log."""
    release: Callable[[], None]


_unfinished: dict[int, Work] = {}


@contextmanager
def released_on_shutdown(release: Callable[[], None], *, what: object) -> Iterator[None]:
    """Release the work if the process stops while it goes on."""
    work = Work(what, release)
    _unfinished[id(work)] = work
    try:
        yield
    except SystemExit:
        _release(work)  # a pool's process that is told to end
        raise
    finally:
        _unfinished.pop(id(work), None)


def limit_shutdown() -> threading.Timer:
    """Call when the process begins to stop; what lasts too long is released.

    Returns at once. Cancel what it returns where the process goes on after the stop.
    """
    timer = threading.Timer(SHUTDOWN_SECONDS, release_unfinished)
    timer.daemon = True
    timer.start()
    return timer


def release_unfinished() -> None:
    """Release every job that still runs, and end the process if there was one."""
    for process in billiard.active_children():
        process.terminate()  # raises SystemExit in its job
    unfinished = list(_unfinished.values())
    for work in unfinished:
        _release(work)
    if unfinished:
        # Nobody can end their threads, and whatever they still achieve is refused.
        os._exit(0)


def _release(work: Work) -> None:
    try:
        work.release()
        logger.warning("stopping: %s is released", work.what)
    except Error as error:
        logger.warning("stopping: %s is left to its lease: %s", work.what, error)
        connection.close()  # the next one tries a new one

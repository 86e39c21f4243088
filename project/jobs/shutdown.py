"""The stop of a worker or relay: after some seconds, its unfinished jobs are released.

Otherwise a job would stay `running` until its lease expires, and count a lost worker: three
restarts during one long video would make it "worker died 3 times". Celery's own soft shutdown
isn't enough: it sleeps its whole time even if all is done after a second, and can't end threads.
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
"""Seconds that a stop leaves to claimed jobs; many supervisors kill after ten."""


@dataclass(frozen=True)
class Work:
    """A claimed job that a stop may release."""

    what: object
    """The job, for the log."""
    release: Callable[[], None]


_unfinished: dict[int, Work] = {}
_stopping: list[threading.Timer] = []


def is_stopping() -> bool:
    """Tell whether the process has begun to stop: it should begin no further job."""
    return any(timer.is_alive() for timer in _stopping)


@contextmanager
def released_on_shutdown(release: Callable[[], None], *, what: object) -> Iterator[None]:
    """Release the work if the process stops during the block."""
    work = Work(what, release)
    _unfinished[id(work)] = work
    try:
        yield
    except SystemExit:
        _release(work)  # SystemExit: the pool's process was terminated
        raise
    finally:
        _unfinished.pop(id(work), None)


def limit_shutdown() -> threading.Timer:
    """Call when the process begins to stop; jobs that last too long are released.

    Returns its timer at once. Cancel the timer if the process goes on after the stop.
    """
    timer = threading.Timer(SHUTDOWN_SECONDS, release_unfinished)
    timer.daemon = True
    timer.start()
    _stopping[:] = [timer]
    return timer


def release_unfinished() -> None:
    """Release every job that still runs, and end the process if there was one."""
    for process in billiard.active_children():
        process.terminate()  # raises SystemExit in its job
    unfinished = list(_unfinished.values())
    for work in unfinished:
        _release(work)
    if unfinished:
        # Threads can't be ended, but their later results are refused.
        os._exit(0)


def _release(work: Work) -> None:
    try:
        work.release()
        logger.warning("stopping: %s is released", work.what)
    except Error as error:
        logger.warning("stopping: %s is left to its lease: %s", work.what, error)
        connection.close()  # the next one tries a new one

"""One attempt at a job: claim it, do its work, settle it. Workers and relay alike come here."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from project.jobs import Job
from project.stopping import in_hand

logger = logging.getLogger(__name__)

SETTLE_TRIES = 5
SETTLE_PAUSE = 1.0
"""Seconds between two tries to write down that the work is done."""


class JobError(Exception):
    """What `Job.perform` raises to say how its attempt ended; the message is for the operator."""


class TransientError(JobError):
    """It may work later: the job is tried again with backoff, eight times in all."""


class PermanentError(JobError):
    """It will never work as it is: the job fails at once."""


class UnknownOutcomeError(JobError):
    """It may have happened, and asking again could double it: a person decides."""


class NotNowError(JobError):
    """What it needs is away, which isn't its fault: it is parked, and the attempt not counted.

    Whoever raises it wakes the parked jobs (`unpark`) when it is time, unless it says until when
    it waits.
    """

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class NotClaimedError(Exception):
    """Another worker owns the job, or it is finished: there is nothing to do."""


class LostClaimError(Exception):
    """The lease ran out while the work went on: its result is refused."""


def run_job(model: type[Job], job_id: UUID) -> dict[str, Any]:
    """Claim the job, do its work, settle it; the one path of workers and relay alike.

    Returns the result. Raises NotClaimedError if there is nothing to do, LostClaimError if the
    lease ran out meanwhile, else what the work raised, after the row says so.
    """
    job = model.objects.claim(job_id)
    if job is None:
        raise NotClaimedError(job_id)
    try:
        with in_hand(job), _lease_kept(job):
            result = job.perform()
        _settle(job, result)
    except LostClaimError:
        raise
    except (OperationalError, InterfaceError):
        # The work may be done and nobody could write so: as if the worker had died with it. To
        # queue it again, once the database is back, would hide that it may be done twice.
        connection.close()
        raise
    except UnknownOutcomeError as error:
        model.objects.leave_unknown(job, str(error))
        raise
    except PermanentError as error:
        model.objects.fail(job, str(error))
        raise
    except NotNowError as error:
        model.objects.park(job, str(error), until=error.until)
        raise
    except TransientError as error:
        model.objects.retry_later(job, str(error))
        raise
    except Exception as error:
        logger.exception("%s %s failed unexpectedly", model.__name__, job_id)
        model.objects.retry_later(job, f"{type(error).__name__}: {error}")
        raise
    return result


def _settle(job: Job, result: dict[str, Any]) -> None:
    """Settle the job as done and publish what it made; a database that restarts is waited for.

    If only the COMMIT's answer was lost, the second try finds no claim: LostClaimError.
    """
    for tries_left in reversed(range(SETTLE_TRIES)):
        try:
            with transaction.atomic():
                # Publishing first would show files of a claim that no longer counts.
                if not type(job).objects.succeed(job, result):
                    raise LostClaimError(job.pk)
                job.publish()
            return
        except (OperationalError, InterfaceError):
            if not tries_left:
                raise
            logger.warning("%s is done, and the database is away", job.pk, exc_info=True)
            connection.close()
            time.sleep(SETTLE_PAUSE)


@contextmanager
def _lease_kept(job: Job) -> Iterator[None]:
    """Prolong the lease in a thread while the work goes on, up to the job's maximum duration."""
    if job.heartbeat is None:
        yield
        return
    pause = job.heartbeat.total_seconds()
    done = threading.Event()
    beats = int(job.max_duration / job.heartbeat)

    def beat() -> None:
        try:
            for _beat in range(beats):
                if done.wait(pause):
                    return
                try:
                    if not type(job).objects.extend_lease(job):
                        return
                except Error:
                    logger.warning("heartbeat of %s missed", job.pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

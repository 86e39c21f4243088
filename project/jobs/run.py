"""One attempt at a job: claim it, do its work, settle it. Workers and relay alike come here."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection, transaction

from project.jobs.errors import (
    LostClaimError,
    NotClaimedError,
    NotNowError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from project.jobs.handler import JobHandler, JobType, handler_of
from project.jobs.model import Job
from project.jobs.queryset import AttemptFields
from project.jobs.shutdown import released_on_shutdown

logger = logging.getLogger(__name__)

FINISH_TRIES = 5
FINISH_PAUSE = 1.0
"""Seconds between two tries to write down that the work is done."""


def run_job(model: type[Job], job_id: UUID) -> dict[str, Any]:
    """Claim the job, do its work, settle it; the one path of workers and relay alike.

    Returns the result. Raises NotClaimedError if there is nothing to do, LostClaimError if the
    lease ran out meanwhile, else what the work raised, after the row says so.
    """
    handler = handler_of(model)
    job = claim(model, job_id)
    if job is None:
        raise NotClaimedError(job_id)
    fields = partial(handler.attempt_fields, job)
    try:
        with released_on_shutdown(partial(handler.release, job), what=job), _lease_kept(job):
            result = handler.perform(job)
        _finish(handler, job, result, fields)
    except LostClaimError:
        raise
    except (OperationalError, InterfaceError):
        # The work may be done and nobody could write so: as if the worker had died with it. To
        # queue it again, once the database is back, would hide that it may be done twice.
        connection.close()
        raise
    except UnknownOutcomeError as error:
        model.objects.leave_unknown(job, str(error), fields)
        raise
    except PermanentError as error:
        model.objects.fail(job, str(error), fields)
        raise
    except NotNowError as error:
        model.objects.park(job, str(error), fields, until=error.until)
        raise
    except TransientError as error:
        model.objects.retry_later(job, str(error), fields)
        raise
    except Exception as error:
        logger.exception("%s %s failed unexpectedly", model.__name__, job_id)
        model.objects.retry_later(job, f"{type(error).__name__}: {error}", fields)
        raise
    return result


def claim(model: type[JobType], job_id: UUID) -> JobType | None:
    """Take the job for one lease; None if it isn't ready, or its handler won't let it be taken."""
    with handler_of(model).claim_guard(job_id) as may_be_claimed:
        job = model.objects.claim(job_id) if may_be_claimed else None
    return cast("JobType | None", job)


def _finish(
    handler: JobHandler[Any], job: Job, result: dict[str, Any], fields: AttemptFields
) -> None:
    """Settle the job as done and show what it made; a database that restarts is waited for.

    If only the COMMIT's answer was lost, the second try finds no claim: LostClaimError.
    """
    for tries_left in reversed(range(FINISH_TRIES)):
        try:
            with transaction.atomic():
                # The reverse order would show files of a claim that no longer counts.
                if not type(job).objects.succeed(job, result, fields):
                    raise LostClaimError(job.pk)
                handler.on_succeeded(job)
            return
        except (OperationalError, InterfaceError):
            if not tries_left:
                raise
            logger.warning("%s is done, and the database is away", job.pk, exc_info=True)
            connection.close()
            time.sleep(FINISH_PAUSE)


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

"""One attempt at a job: claim it, do its work, finish it. Workers and the relay call it."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.db import Error, connection, transaction

from project import trail
from project.database.errors import drop, is_passing
from project.jobs.errors import (
    LostClaimError,
    NotClaimedError,
    NotNowError,
    NotWantedError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
    clean_texts,
)
from project.jobs.handler import JobHandler, JobType, handler_of
from project.jobs.model import Job
from project.jobs.queryset import AttemptFields, Status
from project.jobs.results import ResultLog
from project.jobs.shutdown import released_on_shutdown
from project.tracing.spans import span

logger = logging.getLogger(__name__)

FINISH_TRIES = 5
FINISH_PAUSE = 1.0
"""Seconds between two tries to store that the work is done."""


def run_job(
    model: type[Job], job_id: UUID, log: ResultLog | None = None, *, rung_by: str = ""
) -> dict[str, Any]:
    """Claim the job, do its work, finish it; workers and the relay both use it.

    Returns the result, which is in Celery's log too if `log` is given. `rung_by`: the `traceparent`
    of the ring. Raises NotClaimedError if there is nothing to do, LostClaimError if the lease
    expired meanwhile, else the work's error, after the row has it.
    """
    handler = handler_of(model)
    job = claim(model, job_id)
    if job is None:
        raise NotClaimedError(job_id)
    with _told(job, rung_by=rung_by):
        return _work(model, handler, job, log)


@contextmanager
def _told(job: Job, *, rung_by: str) -> Iterator[None]:
    """Put the job's ids into all lines of its attempt, and log how it ended.

    Its span is a part of the trace in which it was queued, with a link to the ring between.
    """
    began, outcome = time.monotonic(), "done"
    with (
        span(
            f"{job.app} {job.kind}",
            "consumer",
            parent=job.traceparent,
            links=[rung_by],
            refusals=(NotNowError, NotWantedError),
            job_id=str(job.pk),
            job_attempt=job.attempts,
        ) as traced,
        trail.named(**trail.ids(job_id=job.pk, order_id=job.order_id, trace_id=traced.trace_id)),
    ):
        try:
            yield
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            traced.note(job_outcome=outcome)
            trail.tell(
                "job ended",
                app=job.app,
                kind=job.kind,
                outcome=outcome,
                attempt=job.attempts,
                seconds=round(time.monotonic() - began, 3),
            )


def _work(
    model: type[Job], handler: JobHandler[Any], job: Job, log: ResultLog | None
) -> dict[str, Any]:
    job_id = job.pk
    fields = partial(handler.attempt_fields, job)
    try:
        with released_on_shutdown(partial(handler.release, job), what=job), _lease_kept(job):
            result = _perform(handler, job)
        _finish(handler, job, result, fields, log)
    except LostClaimError:
        raise
    except UnknownOutcomeError as error:
        model.objects.leave_unknown(job, str(error), fields)
        raise
    except PermanentError as error:
        with failing(handler, job):
            model.objects.fail(job, str(error), fields)
        raise
    except NotWantedError as error:
        model.objects.call_off(job, str(error), fields)
        raise
    except NotNowError as error:
        model.objects.park(job, str(error), fields, until=error.until)
        raise
    except TransientError as error:
        with failing(handler, job):
            model.objects.retry_later(job, str(error), fields)
        raise
    except Exception as error:
        if is_passing(error):
            # The work may be done, but the row could not be written: as if the worker had died
            # with it. Queueing it again, once the database is back, would hide that it may be
            # done twice.
            drop(connection)
            raise
        logger.exception("%s %s failed unexpectedly", model.__name__, job_id)
        _finish_unforeseen(handler, job, error, fields)
        raise
    return result


def _perform(handler: JobHandler[Any], job: Job) -> dict[str, Any]:
    """Do the job's work. Whatever another system answered, rows and logs can take the error."""
    try:
        return handler.perform(job)
    except Exception as error:
        clean_texts(error)
        raise


def claim(model: type[JobType], job_id: UUID) -> JobType | None:
    """Claim the job for one lease; None if it isn't ready, or its claim guard refuses."""
    with handler_of(model).claim_guard(job_id) as may_be_claimed:
        job = model.objects.claim(job_id) if may_be_claimed else None
    return cast("JobType | None", job)


def _finish_unforeseen(
    handler: JobHandler[Any], job: Job, error: Exception, fields: AttemptFields
) -> None:
    """Queue the job again, unless its work may be done and must not be done twice."""
    reason = f"{type(error).__name__}: {error}"
    try:
        handler.doubt(job, reason)
    except UnknownOutcomeError:
        type(job).objects.leave_unknown(job, reason, fields)
    else:
        with failing(handler, job):
            type(job).objects.retry_later(job, reason, fields)


@contextmanager
def failing(handler: JobHandler[Any], job: Job) -> Iterator[None]:
    """Let the handler tell of the job in the transaction of the block, if that fails it."""
    if not handler.writes_its_failure():
        yield
        return
    with transaction.atomic():
        yield
        if job.status == Status.FAILED:
            handler.on_failed(job)


def _finish(
    handler: JobHandler[Any],
    job: Job,
    result: dict[str, Any],
    fields: AttemptFields,
    log: ResultLog | None,
) -> None:
    """Finish the job as done and make its result visible; wait for a database that restarts.

    If only the COMMIT's reply was lost, the second try finds no claim: LostClaimError.
    """
    for tries_left in reversed(range(FINISH_TRIES)):
        try:
            with transaction.atomic() if handler.writes_its_success() else nullcontext():
                # In the reverse order, a lost claim would make its files visible.
                if not type(job).objects.succeed(job, result, fields, log):
                    raise LostClaimError(job.pk)
                handler.on_succeeded(job)
            return
        except Error as error:
            if not tries_left or not is_passing(error):
                raise
            logger.warning("%s is done, and the database is away", job.pk, exc_info=True)
            drop(connection)
            time.sleep(FINISH_PAUSE)


@contextmanager
def _lease_kept(job: Job) -> Iterator[None]:
    """Extend the lease in a thread during the work, up to the job's maximum duration."""
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

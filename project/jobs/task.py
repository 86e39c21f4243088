"""The Celery task of a model of jobs: the relay publishes jobs' ids, a worker runs the jobs."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.app.task import Context
from celery.exceptions import Ignore
from django_celery_results.backends.database import DatabaseBackend

from project.jobs.dispatch import unring
from project.jobs.errors import JobError, LostClaimError, NotClaimedError
from project.jobs.handler import JobHandler, register
from project.jobs.publisher import TRACEPARENT
from project.jobs.results import ResultLog, args_of
from project.jobs.run import run_job
from project.jobs.shutdown import is_stopping

logger = logging.getLogger(__name__)


def job_task(handler: JobHandler[Any]) -> Task:
    """Register the handler, and return the Celery task that runs its model's jobs.

    The task takes the id of one job and returns its result, or the ids of several. A delivery is
    ignored if another worker has claimed the job: a duplicate must not overwrite Celery's result.
    """
    register(handler)

    def run(task: Task, *job_ids: str) -> dict[str, Any] | None:
        if len(job_ids) == 1:
            return _run_one(task, handler, job_ids[0])
        _run_pack(task, handler, job_ids)
        return None

    # A JobError is an outcome that the row explains, not a bug: no traceback.
    return shared_task(name=handler.model.task, bind=True, throws=(JobError,), **handler.options)(
        run
    )


def _run_one(task: Task, handler: JobHandler[Any], job_id: str) -> dict[str, Any]:
    log = _result_log(task)
    try:
        result = run_job(handler.model, UUID(job_id), log, rung_by=_ring_of(task))
    except (NotClaimedError, LostClaimError) as error:
        raise Ignore from error
    finally:
        handler.after_attempt(UUID(job_id))
    if log is not None:
        task.request.ignore_result = True  # it is stored already
    return result


def _run_pack(task: Task, handler: JobHandler[Any], job_ids: Sequence[str]) -> None:
    """Run the jobs one after the other, whatever becomes of each; each has a result of its own.

    A process that stops begins no further one: those are rung again at once.
    """
    for number, job_id in enumerate(job_ids):
        if is_stopping():
            unring(handler.model, [UUID(left) for left in job_ids[number:]])
            break
        try:
            result = _run_one(task, handler, job_id)
        except Ignore:
            continue
        except Exception as error:
            if isinstance(error, JobError):
                logger.info("%s %s: %s", task.name, job_id, error)
            else:
                logger.exception("%s %s failed", task.name, job_id)
            task.backend.mark_as_failure(job_id, error, request=_request_about(task, job_id))
        else:
            if _result_log(task) is None:
                task.backend.mark_as_done(job_id, result, request=_request_about(task, job_id))
    task.request.ignore_result = True  # the message itself has none


def _ring_of(task: Task) -> str:
    """Return the `traceparent` of the ring that brought the message; empty without traces."""
    return str(task.request.get(TRACEPARENT) or "")


def _result_log(task: Task) -> ResultLog | None:
    """Return the log that a running task's results go to; None if another backend keeps them."""
    request = task.request
    if request.called_directly or request.is_eager or not isinstance(task.backend, DatabaseBackend):
        return None
    return ResultLog(task=task.name, worker=request.hostname)


def _request_about(task: Task, job_id: str) -> Context:
    """Return the request of a message about this job alone, for one that names several."""
    alone = {"id": job_id, "args": [job_id], "argsrepr": args_of(job_id), "ignore_result": False}
    return Context({**vars(task.request), **alone})

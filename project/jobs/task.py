"""The Celery task of a model of jobs: the relay publishes a job's id, a worker runs the job."""

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore

from project.jobs.errors import JobError, LostClaimError, NotClaimedError
from project.jobs.handler import JobHandler, register
from project.jobs.run import run_job


def job_task(handler: JobHandler[Any]) -> Task:
    """Register the handler, and return the Celery task that runs its model's jobs.

    The task takes a job's id and returns its result. A delivery is ignored if another worker
    has claimed the job: a duplicate must not overwrite Celery's result.
    """
    register(handler)

    def run(job_id: str) -> dict[str, Any]:
        try:
            return run_job(handler.model, UUID(job_id))
        except (NotClaimedError, LostClaimError) as error:
            raise Ignore from error
        finally:
            handler.after_attempt(UUID(job_id))

    # A JobError is an outcome that the row explains, not a bug: no traceback.
    return shared_task(name=handler.model.task, throws=(JobError,), **handler.options)(run)

"""The Celery door: the relay rings a job's id on its model's queue, a worker runs the job."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.exceptions import Ignore

from notifications.models import Notification
from project.job_runs import JobError, LostClaimError, NotClaimedError, run_job


# A JobError is an outcome that the row explains, not a fault of the worker: no traceback.
@shared_task(name="notifications.tasks.send", throws=(JobError,))
def send(job_id: str) -> dict[str, Any]:
    """Run the notification's job and return what the other side answered.

    Ignored if another worker owns the job: a duplicate must not overwrite Celery's result.
    """
    try:
        return run_job(Notification, UUID(job_id))
    except (NotClaimedError, LostClaimError) as error:
        raise Ignore from error

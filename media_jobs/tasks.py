"""The Celery door: the relay rings a job's id on its model's queue, a worker runs the job."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.exceptions import Ignore
from django.conf import settings

from media_jobs.models import MediaJob
from project.job_runs import JobError, LostClaimError, NotClaimedError, run_job

# The longest video's, in seconds: ffmpeg is stopped by `videos` long before. Pictures have limits
# of their own (`limits`). At the soft limit the job fails with that as its reason; what doesn't
# even let go then is killed with its process, and the job's lease counts a lost worker.
SOFT_LIMIT = 600 + 60 * 10 * settings.MEDIA_MAX_VIDEO_MINUTES
HARD_LIMIT = SOFT_LIMIT + 60


# A JobError is an outcome that the row explains, not a fault of the worker: no traceback.
@shared_task(
    name="media_jobs.tasks.process",
    throws=(JobError,),
    soft_time_limit=SOFT_LIMIT,
    time_limit=HARD_LIMIT,
)
def process(job_id: str) -> dict[str, Any]:
    """Run the media job and return what it made.

    Ignored if another worker owns the job: a duplicate must not overwrite Celery's result.
    """
    from media_jobs.storing import sweep

    try:
        return run_job(MediaJob, UUID(job_id))
    except (NotClaimedError, LostClaimError) as error:
        raise Ignore from error
    finally:
        sweep(UUID(job_id))

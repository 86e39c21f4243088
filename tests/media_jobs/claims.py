"""Media jobs that a worker has claimed."""

from uuid import UUID

from media_jobs.models import MediaJob


def claimed(job_id: UUID) -> MediaJob:
    """Claim the job as a worker does."""
    job = MediaJob.objects.claim(job_id)
    assert isinstance(job, MediaJob)
    return job

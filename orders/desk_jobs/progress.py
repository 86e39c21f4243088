"""What the work says while it goes on: how far it is, and the report that it made."""

from django.core.files.base import File
from django.core.files.storage import default_storage

from orders.models import DeskJob
from project.jobs.errors import LostClaimError


def check_in(job: DeskJob, percent: int) -> None:
    """Show how far the work is. Raises LostClaimError if it is to stop: cancelled, or late."""
    if not DeskJob.objects.set_progress(job, percent):
        raise LostClaimError(job.pk)


def keep_report(job: DeskJob, file: File, *, name: str) -> None:
    """Store what the work made, under a name of this claim; it is shown once the job is done."""
    assert job.token is not None  # claimed
    path = f"desk/{job.pk}/{job.token.hex[:8]}/{name}"
    job.report.name = default_storage.save(path, file)

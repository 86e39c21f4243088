"""Progress and report of a running desk job. The kinds' functions call it."""

from django.core.files.base import File
from django.core.files.storage import default_storage

from orders.models import DeskJob
from project.jobs.errors import LostClaimError


def store_progress(job: DeskJob, percent: int) -> None:
    """Store the progress. Raises LostClaimError if the job was cancelled or its lease expired."""
    if not DeskJob.objects.set_progress(job, percent):
        raise LostClaimError(job.pk)


def store_report(job: DeskJob, file: File, *, name: str) -> None:
    """Store the report under a path of this claim. The desk shows it when the job is done."""
    assert job.token is not None  # claimed
    path = f"desk/{job.pk}/{job.token.hex[:8]}/{name}"
    job.report.name = default_storage.save(path, file)

"""Progress and report of a running desk job. The kinds' functions call it."""

import time
from collections.abc import Callable

from django.core.files.base import File
from django.core.files.storage import default_storage

from orders.models import DeskJob
from project.jobs.errors import LostClaimError

PROGRESS_SECONDS = 0.5


def store_progress(job: DeskJob, percent: int) -> None:
    """Store the progress. Raises LostClaimError if the job was cancelled or its lease expired."""
    if not DeskJob.objects.set_progress(job, percent):
        raise LostClaimError(job.pk)


def store_report(job: DeskJob, file: File, *, name: str) -> None:
    """Store the report under a path of this claim. The desk shows it when the job is done."""
    assert job.token is not None  # claimed
    path = f"desk/{job.pk}/{job.token.hex[:8]}/{name}"
    job.report.name = default_storage.save(path, file)


def progress_callback(job: DeskJob) -> Callable[[int, int], None]:
    """Return a callback that stores the progress twice a second, and so notices a cancel."""
    last = 0.0

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            store_progress(job, min(99, 100 * done // max(total, 1)))

    return on_progress

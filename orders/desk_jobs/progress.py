"""Progress and report of a running desk job. The kinds' functions call it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from orders.desk_jobs.report_files import folder_of
from orders.models import DeskJob
from project.desk.spreadsheets import write_csv
from project.jobs.errors import LostClaimError
from project.jobs.queryset import Status

PROGRESS_SECONDS = 0.5


def store_progress(job: DeskJob, percent: int) -> None:
    """Store the progress. Raises LostClaimError if the job was cancelled or its lease expired."""
    if not DeskJob.objects.set_progress(job, percent):
        raise LostClaimError(job.pk)


def store_report(job: DeskJob, file: File, *, name: str) -> None:
    """Store the report under a path of this claim. The desk shows it when the job has ended."""
    job.report.name = default_storage.save(f"{folder_of(job)}/{name}", file)


@contextmanager
def kept_if_cancelled(
    job: DeskJob, store: Callable[[], None], result: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """Keep what the block has done by the time an operator cancels the job, then raise.

    `store` stores the report of it, `result` returns its counts. A claim that is lost otherwise
    keeps nothing: another one does the work and reports on all of it.
    """
    try:
        yield
    except LostClaimError:
        if DeskJob.objects.filter(pk=job.pk, status=Status.CANCELLED).exists():
            store()
            cancelled = DeskJob.objects.filter(pk=job.pk, status=Status.CANCELLED, token=None)
            if not cancelled.update(report=job.report.name, result=result()):
                default_storage.delete(job.report.name or "")  # it was started again meanwhile
        raise


def store_rows(
    job: DeskJob, header: Sequence[str], rows: Iterable[Sequence[Any]], *, name: str
) -> None:
    """Store the rows as the job's report, a CSV for spreadsheets."""
    with TemporaryFile() as written:
        text = TextIOWrapper(written, encoding="utf-8", newline="")
        write_csv(text, header, rows)
        text.flush()
        store_report(job, File(written), name=name)
        text.detach()


def progress_callback(job: DeskJob) -> Callable[[int, int], None]:
    """Return a callback that stores the progress twice a second, and so notices a cancel."""
    last = 0.0

    def on_progress(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            store_progress(job, min(99, 100 * done // max(total, 1)))

    return on_progress

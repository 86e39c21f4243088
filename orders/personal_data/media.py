"""Deletes media jobs with all files of theirs: the files first, so that a crash leaves none."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django_celery_results.models import TaskResult

from media_jobs import rendition_files
from media_jobs.models import MediaJob, Rendition
from project.jobs.errors import TransientError
from project.jobs.handler import handler_of
from project.jobs.queryset import Status

PAGE = 50


def erase_media_jobs(jobs: QuerySet[Any]) -> int:
    """Delete these jobs and their files; return how many.

    Raises TransientError while a worker has one: it is told to stop, and writes no more then.
    """
    if jobs.filter(status=Status.RUNNING).exists():
        jobs.cancel()  # type: ignore[attr-defined]
        raise TransientError("a worker was still making a file of this person")
    count = 0
    while page := list(jobs.select_related("asset").order_by("pk")[:PAGE]):
        ids = [job.pk for job in page]
        for folder in sorted(set(_folders(page))):
            others = Rendition.objects.filter(file__startswith=f"{folder}/").exclude(job__in=ids)
            if not others.exists():
                rendition_files.remove(folder)
        handler_of(MediaJob).delete(ids)
        TaskResult.objects.filter(task_id__in=[str(key) for key in ids]).delete()
        count += len(ids)
    return count


def _folders(jobs: list[MediaJob]) -> Iterator[str]:
    """Yield the folders with files of these jobs, also those of claims that failed."""
    for job in jobs:
        yield from rendition_files.leaves(rendition_files.home_of(job))

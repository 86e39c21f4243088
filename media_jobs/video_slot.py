"""One film at a time: encoding takes minutes and both cores, and pictures must not wait for it.

The media worker has two processes; while one of them has a film, the other takes what is short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.recipes import FILMS
from project.database.advisory_lock import lock_until_commit
from project.jobs.queryset import Status

LOCK = 0x66696C6D  # "film"
PAUSE = timedelta(seconds=5)
"""How long a film that is due waits before it is looked at again while another is at work."""


@contextmanager
def free_slot(job_id: UUID) -> Iterator[bool]:
    """Tell whether the job may be claimed within the block: a film only while none is at work."""
    if not MediaJob.objects.filter(pk=job_id, recipe__in=FILMS).exists():
        yield True
        return
    with transaction.atomic():
        lock_slot()
        yield not running_video().exclude(pk=job_id).exists()


def delay_videos() -> None:
    """Let films that are due wait while one is at work."""
    if running_video().exists():
        due = MediaJob.objects.filter(recipe__in=FILMS, status=Status.QUEUED, ring_after__lte=Now())
        due.order_by().update(ring_after=Now() + PAUSE)


def running_video() -> QuerySet[MediaJob]:
    """Return the film that a worker has now; one whose lease is over has none."""
    return MediaJob.objects.filter(recipe__in=FILMS, status=Status.RUNNING, lease_until__gte=Now())


def lock_slot() -> None:
    """Let whoever else claims a film wait until this transaction ends."""
    lock_until_commit(LOCK)

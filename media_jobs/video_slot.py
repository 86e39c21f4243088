"""The video slot: one video at a time, so that pictures don't wait for minutes of encoding.

The media worker has two processes; while one of them has a video, the other makes pictures. Checks
of shoppers' videos have a slot of their own: a shopper waits for them, and they are much shorter.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.recipes import CHECK_VIDEO, FILMS
from project.database.advisory_lock import lock_until_commit
from project.jobs.queryset import Status

SLOTS: tuple[Collection[str], ...] = (FILMS, (CHECK_VIDEO,))
"""The recipes of which one job is processed at a time."""
LOCK = 0x66696C6D  # "film"
PAUSE = timedelta(seconds=5)
"""The delay of a due video while another is being processed."""


@contextmanager
def free_slot(job_id: UUID) -> Iterator[bool]:
    """Yield whether the job may be claimed within the block: a video only if its slot is free."""
    recipe = MediaJob.objects.filter(pk=job_id).values_list("recipe", flat=True).first()
    slot = next((slot for slot in SLOTS if recipe in slot), None)
    if slot is None:
        yield True
        return
    with transaction.atomic():
        lock_slot()
        yield not running_video(slot).exclude(pk=job_id).exists()


def delay_videos() -> None:
    """Delay due videos while one of their slot is being processed."""
    for slot in SLOTS:
        if running_video(slot).exists():
            _delay(slot)


def running_video(slot: Collection[str] = FILMS) -> QuerySet[MediaJob]:
    """Return the video job of a slot that a worker has claimed; an expired lease doesn't count."""
    return MediaJob.objects.filter(recipe__in=slot, status=Status.RUNNING, lease_until__gte=Now())


def _delay(slot: Collection[str]) -> None:
    due = MediaJob.objects.filter(recipe__in=slot, status=Status.QUEUED, ring_after__lte=Now())
    with transaction.atomic():  # one that somebody has locked is no reason to stop dispatching
        films = list(due.order_by().select_for_update(skip_locked=True).values_list("pk"))
        MediaJob.objects.filter(pk__in=[pk for (pk,) in films]).update(ring_after=Now() + PAUSE)


def lock_slot() -> None:
    """Make other claims of a video wait until this transaction ends."""
    lock_until_commit(LOCK)

"""The video slots: few videos at a time, so that pictures don't wait for minutes of encoding.

The media worker has two processes; while one of them has a video, the other makes pictures. With
more workers more videos are made: `MEDIA_VIDEOS_PER_WORKER` for each that is alive. Checks of
shoppers' videos have slots of their own: a shopper waits for them, and they are much shorter.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.recipes import CHECK_VIDEO, FILMS
from project.database.advisory_lock import lock_until_commit
from project.jobs.queryset import Status
from project.models import Heartbeat

SLOTS: tuple[Collection[str], ...] = (FILMS, (CHECK_VIDEO,))
"""The recipes of which few jobs are processed at a time, each group by its own count."""
LOCK = 0x66696C6D  # "film"
PAUSE = timedelta(seconds=5)
"""The delay of a due video while no slot is free."""


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
        yield running_video(slot).exclude(pk=job_id).count() < videos_at_once()


def count_workers() -> int:
    """Return how many media workers are alive; one that has just started may not be seen yet."""
    return max(1, Heartbeat.objects.count_living(MediaJob.queue))


def videos_at_once() -> int:
    """Return how many videos of a group may be processed now, by all workers together."""
    return count_workers() * settings.MEDIA_VIDEOS_PER_WORKER


def delay_videos() -> None:
    """Delay due videos while no slot of theirs is free."""
    for slot in SLOTS:
        running = running_video(slot).count()
        if running and running >= videos_at_once():
            _delay(slot)


def running_video(slot: Collection[str] = FILMS) -> QuerySet[MediaJob]:
    """Return the videos of a group that workers have claimed; an expired lease doesn't count."""
    return MediaJob.objects.filter(recipe__in=slot, status=Status.RUNNING, lease_until__gte=Now())


def _delay(slot: Collection[str]) -> None:
    due = MediaJob.objects.filter(recipe__in=slot, status=Status.QUEUED, ring_after__lte=Now())
    with transaction.atomic():  # one that somebody has locked is no reason to stop dispatching
        films = list(due.order_by().select_for_update(skip_locked=True).values_list("pk"))
        MediaJob.objects.filter(pk__in=[pk for (pk,) in films]).update(ring_after=Now() + PAUSE)


def lock_slot() -> None:
    """Make other claims of a video wait until this transaction ends."""
    lock_until_commit(LOCK)

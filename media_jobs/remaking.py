"""Makes renditions again: of a changed recipe, or at an operator's request."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.recipes import PICKUP_PASS, RECIPES
from project.jobs.queryset import OPEN, JobQuerySet, Status


def stale(jobs: JobQuerySet) -> JobQuerySet:
    """Return the done jobs whose recipe has changed since they were done.

    `queue_again` runs them again; until they are done the old renditions are shown.
    """
    changed = Q()
    for recipe in RECIPES.values():
        changed |= Q(recipe=recipe.name) & ~Q(recipe_hash=recipe.hash)
    return jobs.filter(changed, status=Status.DONE)


def make_again(jobs: Any) -> int:
    """Queue the finished jobs among these again, even if their files exist; return how many.

    The old renditions are shown until they are done.
    """
    jobs.exclude(status__in=OPEN).order_by().update(recipe_hash="")
    queued: int = jobs.queue_again()
    return queued


def draw_pass_again(*, order_id: UUID, name: str) -> None:
    """Let the order's pickup pass have this name, drawn or not, within the caller's transaction.

    One that is being drawn right now is queued anew: its worker's claim is over, so what it draws
    with the old name is thrown away.
    """
    passes = MediaJob.objects.filter(order_id=order_id, recipe=PICKUP_PASS.name)
    job = passes.exclude(status=Status.CANCELLED).select_for_update(no_key=True).first()
    if job is None:
        return
    passes.filter(pk=job.pk).update(context={**job.context, "name": name})
    if job.status == Status.RUNNING:
        passes.filter(pk=job.pk).update(
            status=Status.QUEUED, token=None, lease_until=None, run_after=Now(), ring_after=Now()
        )
    elif job.status != Status.QUEUED:
        make_again(passes.filter(pk=job.pk))

"""Makes renditions again: of a changed recipe, or at an operator's request."""

from typing import Any

from django.db.models import Q

from media_jobs.recipes import RECIPES
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

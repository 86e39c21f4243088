"""Making renditions again: those whose recipe changed, or those that an operator asks for."""

from typing import Any

from django.db.models import Q

from media_jobs.recipes import RECIPES
from project.jobs.queryset import OPEN, JobQuerySet, Status


def stale(jobs: JobQuerySet) -> JobQuerySet:
    """Return the done ones whose recipe says something else now than when they were done.

    `queue_again` has them made anew, where the files wouldn't be the same; until they are done
    the old ones are shown.
    """
    changed = Q()
    for recipe in RECIPES.values():
        changed |= Q(recipe=recipe.name) & ~Q(recipe_hash=recipe.hash)
    return jobs.filter(changed, status=Status.DONE)


def make_again(jobs: Any) -> int:
    """Queue the finished ones of these jobs anew, to be made whatever is there; return how many.

    What they made is shown until they are done.
    """
    jobs.exclude(status__in=OPEN).order_by().update(recipe_hash="")
    queued: int = jobs.queue_again()
    return queued

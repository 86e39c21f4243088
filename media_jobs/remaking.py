"""Making renditions again: those whose recipe changed, or those that somebody asks for."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from media_jobs.recipes import RECIPES
from project.jobs.queryset import OPEN, Status


def stale(jobs: QuerySet[MediaJob]) -> QuerySet[MediaJob]:
    """Return the done ones whose recipe says something else now than when they were done."""
    changed = Q()
    for recipe in RECIPES.values():
        changed |= Q(recipe=recipe.name) & ~Q(recipe_hash=recipe.hash)
    return jobs.filter(changed, status=Status.DONE)


def queue_again(jobs: QuerySet[MediaJob]) -> int:
    """Queue the finished ones of these jobs anew; return how many.

    What they made is shown until they are done, and is made anew only if it wouldn't be the same.
    """
    return (
        jobs.exclude(status__in=OPEN)
        .order_by()
        .update(
            status=Status.QUEUED,
            attempts=0,
            lost=0,
            rings=0,
            run_after=Now(),
            ring_after=Now(),
            finished_at=None,
        )
    )


def make_again(jobs: QuerySet[MediaJob]) -> int:
    """Queue the finished ones of these jobs anew, to be made whatever is there; return how many.

    What they made is shown until they are done.
    """
    jobs.exclude(status__in=OPEN).order_by().update(recipe_hash="")
    return queue_again(jobs)

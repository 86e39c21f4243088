"""How many of the products' pictures the media worker has made."""

from dataclasses import dataclass

from django.db.models import Count, Q

from media_jobs.models import MediaJob
from media_jobs.recipes import PRODUCT
from project.jobs.queryset import OPEN


@dataclass(frozen=True)
class Pictures:
    all: int
    unmade: int

    @property
    def made(self) -> int:
        return self.all - self.unmade


def count_pictures() -> Pictures:
    """Count the products' pictures, and those whose jobs still wait or run."""
    counted = MediaJob.objects.filter(recipe=PRODUCT.name).aggregate(
        all=Count("pk"), unmade=Count("pk", filter=Q(status__in=OPEN))
    )
    return Pictures(**counted)

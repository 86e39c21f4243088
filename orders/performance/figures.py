"""The figures of a run: percentiles, and how long its jobs took."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import F

from notifications.models import SYNTHETIC, Notification
from project.jobs.queryset import OPEN, Status

JOB_PATIENCE = 60.0
"""Seconds that the last jobs may take; what isn't done then is counted as unfinished."""
LOOK = 0.5


@dataclass(frozen=True)
class JobFigures:
    times: list[float]
    """Seconds of the jobs that are done, from their row to their end."""
    unfinished: int


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that so many percent don't exceed (nearest rank); None of none."""
    if not values:
        return None
    rank = max(1, math.ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


def milliseconds(values: Sequence[float], percent: int) -> float | None:
    """Return the percentile of these seconds in milliseconds, to a tenth."""
    value = percentile(values, percent)
    return None if value is None else round(value * 1000, 1)


def wait_for_jobs(*, is_over: Callable[[], bool]) -> JobFigures:
    """Wait until the run's jobs have ended, at most JOB_PATIENCE or until `is_over`."""
    jobs = Notification.objects.filter(event=SYNTHETIC)
    deadline = time.monotonic() + JOB_PATIENCE
    while jobs.filter(status__in=OPEN).exists():
        if time.monotonic() > deadline or is_over():
            break
        time.sleep(LOOK)
    took = jobs.filter(status=Status.DONE).annotate(took=F("finished_at") - F("created_at"))
    times = [each.total_seconds() for each in took.values_list("took", flat=True)]
    return JobFigures(times, unfinished=jobs.count() - len(times))

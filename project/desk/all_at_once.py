"""One decision about all jobs of a filtered list, of any length.

Only the jobs that were counted are changed: one that fails again while the others are being queued
isn't retried a second time.
"""

import time
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from project.jobs.decisions import Decision
from project.jobs.queryset import Status

BATCH_SIZE = 5000
"""Jobs of one transaction: a second's work for PostgreSQL."""
MAX_SECONDS = 8.0
"""Seconds after which the page answers with the number of remaining jobs."""


def meant_by(decision: Decision, listed: QuerySet[Any], *, asked_at: datetime) -> QuerySet[Any]:
    """Return the list's jobs that were in the decision's status at the time of the question."""
    since = "created_at__lte" if Status.QUEUED in decision.statuses else "finished_at__lte"
    return listed.order_by().filter(status__in=decision.statuses, **{since: asked_at})


def decide_all(
    decision: Decision, meant: QuerySet[Any], *, until: float | None = None
) -> tuple[int, int]:
    """Apply the decision batch by batch; return how many were changed and how many are left.

    `until` is the end of its time on the `time.monotonic` clock; None: MAX_SECONDS from now.
    """
    deadline = time.monotonic() + MAX_SECONDS if until is None else until
    jobs = meant.model._default_manager
    done = 0
    while keys := list(meant.values_list("pk", flat=True)[:BATCH_SIZE]):
        done += decision.apply(jobs.filter(pk__in=keys))
        if time.monotonic() > deadline:
            break
    return done, meant.count() if keys else 0

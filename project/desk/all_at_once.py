"""One decision about all jobs of a filtered list, of any length.

Only the jobs that were counted are changed: one that fails again while the others are being queued
isn't retried a second time.
"""

import time
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.database.clock import database_now
from project.desk.decision_log import decide
from project.jobs.decisions import Decision
from project.jobs.queryset import Status

BATCH_SIZE = 5000
"""Jobs of one transaction: a second's work for PostgreSQL."""
MAX_SECONDS = 8.0
"""Seconds after which the page answers with the number of remaining jobs."""
NOTHING_LEFT = _("There is nothing left to decide.")


def asked_at_of(request: HttpRequest) -> datetime:
    """Return the time of the question: now, or of the page that is being answered.

    Raises Http404 for an answer without it.
    """
    if request.method != "POST":
        return database_now()
    try:
        asked_at = parse_datetime(request.POST.get("asked_at", ""))
    except ValueError:
        asked_at = None
    if asked_at is None or asked_at.tzinfo is None:
        raise Http404
    return asked_at


def meant_by(decision: Decision, listed: QuerySet[Any], *, asked_at: datetime) -> QuerySet[Any]:
    """Return the list's jobs that were in the decision's status at the time of the question."""
    since = "created_at__lte" if Status.QUEUED in decision.statuses else "finished_at__lte"
    return listed.order_by().filter(status__in=decision.statuses, **{since: asked_at})


def decide_all(
    decision: Decision,
    meant: QuerySet[Any],
    *,
    user_id: int | None,
    reason: str = "",
    until: float | None = None,
) -> tuple[int, int]:
    """Apply the decision batch by batch; return how many were changed and how many are left.

    `until` is the end of its time on the `time.monotonic` clock; None: MAX_SECONDS from now.
    """
    deadline = time.monotonic() + MAX_SECONDS if until is None else until
    jobs = meant.model._default_manager
    done = 0
    while keys := list(meant.values_list("pk", flat=True)[:BATCH_SIZE]):
        done += len(decide(decision, jobs.filter(pk__in=keys), user_id=user_id, reason=reason))
        if time.monotonic() > deadline:
            break
    return done, meant.count() if keys else 0


def jobs_left(count: int) -> str:
    """Say that so many jobs wait for the same decision once more."""
    says = ngettext(
        "%(count)d job is left: decide once more.",
        "%(count)d jobs are left: decide once more.",
        count,
    )
    return says % {"count": count}

"""Decisions about jobs, each noted with who decided, when and why: an order's timeline shows them.

The audit log has them as well. There, many at once are one entry with their number, which says
nothing about one order; here each job has its own row.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import override

from project.jobs.decisions import Decision
from project.jobs.model import Job
from project.models import JobDecision

# One statement for thousands of jobs: rows that Django writes one by one took seconds.
_NOTE = """
    INSERT INTO project_jobdecision (job_id, order_id, app, label, error, reason, user_id)
    SELECT id, order_id, %(app)s, %(label)s, left(error, 500), %(reason)s, %(user)s
    FROM {jobs} WHERE id = ANY(%(ids)s) ORDER BY id
"""


def decide(
    decision: Decision, jobs: QuerySet[Any], *, user_id: int | None, reason: str = ""
) -> list[Any]:
    """Apply the decision to those of the jobs whose status allows it, and return these.

    They are locked first, so what is noted is what was done: of two operators, or two clicks, one
    decides about each.
    """
    with transaction.atomic():
        allowed = jobs.filter(status__in=decision.statuses).order_by("pk")
        rows = allowed.select_related(None).select_for_update(no_key=True)
        locked = list(rows.only("pk"))
        if locked:
            note(decision.label, locked, user_id=user_id, reason=reason)
            keys = [job.pk for job in locked]
            decision.apply(jobs.model._default_manager.filter(pk__in=keys))
    return locked


def note(
    label: str | Promise, jobs: Sequence[Job], *, user_id: int | None, reason: str = ""
) -> None:
    """Note what an operator did about these jobs, which are of one model, with their errors."""
    with override(None):
        said = str(label)
    model = type(jobs[0])
    values = {"app": model.app, "label": said, "reason": reason, "user": user_id}
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE.format(jobs=model._meta.db_table), values | {"ids": [job.pk for job in jobs]}
        )


def decisions_of_order(order_id: UUID) -> QuerySet[JobDecision]:
    """Return the decisions about the order's jobs, the oldest first, with their users."""
    return JobDecision.objects.filter(order_id=order_id).select_related("user").order_by("pk")


def decisions_of_job(job: Job) -> QuerySet[JobDecision]:
    """Return the decisions about the job, the oldest first, with their users."""
    return JobDecision.objects.filter(job_id=job.pk).select_related("user").order_by("pk")

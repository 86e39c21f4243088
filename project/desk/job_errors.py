"""Why jobs failed: the same errors together, of all kinds of jobs, with their numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Value

from project.desk.jobs import JobAdmin
from project.jobs.queryset import TROUBLED

LATEST = 1000
"""The latest failed jobs of a kind that are looked at: the older ones hardly have other errors."""


@dataclass(frozen=True)
class ErrorGroup:
    """Jobs of one model that failed, or have an unknown outcome, for the same reason."""

    app: str
    status: str
    error: str
    """Their common part: see `project.jobs.same_error`."""
    count: int


def error_groups(desks: Iterable[JobAdmin], *, most: int) -> list[ErrorGroup]:
    """Return the most frequent errors of these admins' jobs, in one query.

    Each part reads the index `_troubled` from its end.
    """
    parts, parameters = [], []
    for desk in desks:
        jobs = desk.model._default_manager.filter(status__in=TROUBLED).order_by("-finished_at")
        columns = jobs.annotate(app=Value(desk.model.app), same=desk.same_error())
        latest = columns.values("app", status_=F("status"), same_=F("same"))[:LATEST]
        sql, values = latest.query.sql_with_params()
        parts.append(f"({sql})")
        parameters += values
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) FROM ({' UNION ALL '.join(parts)}) AS found (app, status, error)"
            " GROUP BY app, status, error ORDER BY count(*) DESC, app, error LIMIT %s",
            [*parameters, most],
        )
        return [ErrorGroup(*row) for row in cursor.fetchall()]

"""Why jobs failed: the same errors together, of all kinds of jobs, with their numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import Truncator

from project.desk.jobs import COLOURS, JobAdmin
from project.jobs.queryset import TROUBLED, Status

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


@dataclass(frozen=True)
class ErrorLine:
    """A group as `desk/job_errors.html` shows it, linked to its jobs."""

    same: str
    words: str
    kind: str | Promise
    status: str | Promise
    colour: str
    count: int
    url: str
    retry_url: str
    """Where all of them are retried; empty for who may not, and for unknown outcomes."""


def read_errors(request: HttpRequest, desks: Iterable[JobAdmin], *, most: int) -> list[ErrorLine]:
    """Return why these admins' jobs failed, the most frequent errors first, in one query."""
    by_app = {desk.model.app: desk for desk in desks}
    return [
        ErrorLine(
            same=group.error,
            words=Truncator(group.error).chars(120) or "–",
            kind=by_app[group.app].opts.verbose_name_plural,
            status=Status(group.status).label,
            colour=COLOURS[group.status],
            count=group.count,
            url=f"{jobs_url(**query)}#jobs",
            retry_url=f"{reverse('desk-jobs-all', args=['retry'])}?{urlencode(query)}"
            if group.status == Status.FAILED and by_app[group.app].may_decide(request)
            else "",
        )
        for group in error_groups(by_app.values(), most=most)
        for query in [{"kind": group.app, "state": group.status, "error": group.error}]
    ]


def jobs_url(**query: str) -> str:
    """Return the page of all jobs with these filters."""
    return f"{reverse('desk-jobs')}?{urlencode({k: v for k, v in query.items() if v})}"


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

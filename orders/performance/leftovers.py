"""Taking a run away: its tables, its messages and their results. It may be repeated at any time."""

import time

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django_celery_results.models import TaskResult

from notifications.models import SYNTHETIC, Notification
from orders.performance.tables import drop_tables
from project.database.advisory_lock import try_lock
from project.jobs.queryset import Status
from project.models import PerformanceRun

LOCK = "performance_run"
"""Who holds this advisory lock, on the connection `writer`, has the run."""
RESULT_SECONDS = 5.0
"""A worker writes Celery's result after the job's end; so long it may take."""

_REMOVE = """
    WITH gone AS (DELETE FROM notifications_notification WHERE event = %s RETURNING id)
    DELETE FROM django_celery_results_taskresult WHERE task_id IN (SELECT id::text FROM gone)
"""


def remove_all() -> None:
    """Remove what a run has made. The caller holds LOCK."""
    drop_tables()
    _wait_for_results()
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [SYNTHETIC])


def _wait_for_results() -> None:
    if settings.CELERY_RESULT_BACKEND != "django-db":
        return
    done = Notification.objects.filter(event=SYNTHETIC, status=Status.DONE)
    ids = [str(pk) for pk in done.values_list("pk", flat=True)]
    deadline = time.monotonic() + RESULT_SECONDS
    while time.monotonic() < deadline:
        if TaskResult.objects.filter(task_id__in=ids).count() >= len(ids):
            return
        time.sleep(0.2)


def tidy_performance() -> str | None:
    """Remove what a run left that died: the relay's sweep. Return what was done, if anything."""
    if not PerformanceRun.objects.running().exists():
        return None
    with try_lock(LOCK, using="writer") as alone:
        return close_dead() if alone else None


def close_dead() -> str | None:
    """Remove everything, and close the run that isn't going on. The caller holds LOCK."""
    remove_all()
    closed = PerformanceRun.objects.running().update(
        state=PerformanceRun.State.INTERRUPTED, finished_at=Now()
    )
    return f"{closed} interrupted" if closed else None

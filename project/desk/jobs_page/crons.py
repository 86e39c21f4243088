"""The schedule at one look: each entry with its last twenty results, and whether it is late."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from project.desk.charts import outcomes
from project.desk.jobs import moment
from project.models import Sweep
from project.names import sweep_name
from project.schedule.entries import is_late, next_run, when

SHOWN = 20
_STATES = {"SUCCESS": "done", "FAILURE": "failed"}

# Twenty entries of an index for each name. The second part has the condition of
# `taskresult_of_rare_task`: messages and pictures aren't scheduled.
_RESULTS = """
    SELECT 'day', task, run.* FROM unnest(%(names)s::text[]) AS task CROSS JOIN LATERAL (
        SELECT CASE WHEN finished_at IS NOT NULL THEN 'done' WHEN error <> '' THEN 'failed'
                    ELSE 'running' END, coalesce(finished_at, started_at) AS at
        FROM project_dailyrun WHERE name = task ORDER BY day DESC LIMIT %(shown)s
    ) AS run
    UNION ALL
    SELECT 'result', task, run.* FROM unnest(%(names)s::text[]) AS task CROSS JOIN LATERAL (
        SELECT status, date_done FROM django_celery_results_taskresult
        WHERE task_name = task
          AND task_name <> 'notifications.tasks.send' AND task_name <> 'media_jobs.tasks.process'
        ORDER BY date_done DESC LIMIT %(shown)s
    ) AS run
"""


@dataclass(frozen=True)
class Cron:
    title: str
    url: str
    when: str
    is_on: bool
    is_late: bool
    last: SafeString
    next: SafeString
    results: SafeString


@dataclass(frozen=True)
class SweepLine:
    title: str
    state: str
    """`ok`, `failed`, `late`, or empty if nothing expects it."""
    done: SafeString
    result: str


def read_crons(*, now: datetime) -> list[Cron]:
    """Return the schedule's entries, in two queries."""
    tasks = list(
        PeriodicTask.objects.select_related("interval", "crontab", "clocked").order_by("name")
    )
    runs = _read_runs({task.task for task in tasks})
    return [_cron(task, runs[task.task], now) for task in tasks]


def read_sweeps(*, now: datetime) -> list[SweepLine]:
    """Return the sweeps that this version has."""
    return [
        SweepLine(
            title=sweep_name(sweep.name),
            state="late" if sweep.late_after < now else "failed" if sweep.error else "ok",
            done=moment(sweep.done_at),
            result=sweep.error or sweep.result,
        )
        for sweep in Sweep.objects.exclude(late_after=None)
        if sweep.late_after
    ]


def _read_runs(names: set[str]) -> dict[str, list[tuple[str, datetime]]]:
    """Return the last results of these tasks, the oldest first.

    Of daily work its days: beat's ticks only look if the day's work is done.
    """
    runs: dict[str, dict[str, list[tuple[str, datetime]]]] = {name: {} for name in names}
    with connection.cursor() as cursor:
        cursor.execute(_RESULTS, {"names": list(names), "shown": SHOWN})
        for source, task, state, at in cursor.fetchall():
            runs[task].setdefault(source, []).append((_STATES.get(state, state), at))
    return {
        task: sorted(found.get("day") or found.get("result") or [], key=_at)
        for task, found in runs.items()
    }


def _at(run: tuple[str, datetime]) -> datetime:
    return run[1]


def _cron(task: Any, runs: list[tuple[str, datetime]], now: datetime) -> Cron:
    words = {"done": _("done"), "failed": _("failed")}
    last = runs[-1][1] if runs else None
    return Cron(
        title=_(task.name),
        url=reverse("admin:django_celery_beat_periodictask_change", args=[task.pk]),
        when=when(task),
        is_on=task.enabled,
        is_late=is_late(task, now=now),
        last=moment(max(filter(None, (task.last_run_at, last)), default=None)),
        next=moment(next_run(task, now=now)),
        results=outcomes(
            [
                (
                    state if state in words else "running",
                    f"{localtime(at):%Y-%m-%d %H:%M} {words.get(state, _('running'))}",
                )
                for state, at in runs
            ],
            label=_("Last results of %(task)s") % {"task": _(task.name)},
        ),
    )

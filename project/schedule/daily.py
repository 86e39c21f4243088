"""Daily work: done once per day of the shop, even with several beats, and caught up if missed.

An app registers it in its `tasks.py`:

    @daily("project.tasks.prune")
    def prune(day: date) -> dict[str, int]:
        ...

Its hour is that of its entry in django-celery-beat's tables, where the operator moves it or
turns it off. Beat's tick only starts a check: `DailyRun` rows record the days for which the work
is done. So a second beat, a repeated tick or an early one changes nothing, and the next check
makes up for a missed tick (`project.tasks.catch_up`, every few minutes).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django.db import Error
from django.utils.module_loading import autodiscover_modules
from django_celery_beat.models import PeriodicTask
from django_celery_beat.tzcrontab import TzAwareCrontab

from project.database.advisory_lock import try_lock
from project.database.clock import database_now
from project.database.errors import is_outage
from project.models import DailyRun

logger = logging.getLogger(__name__)

_LOCK = 0x7E7EDA1
"""The advisory lock's key, with the work's name: only one process does a work at a time."""
_LOOK_BACK = 31
"""Days in which the latest due day is searched: an operator may make daily work monthly."""

Work = Callable[[date], Any]


@dataclass(frozen=True)
class DailyWork:
    """Work for one day. If it is killed it is done again, so it must be idempotent."""

    name: str
    """The name of its Celery task, which its entry in the schedule has."""
    do: Work
    """Takes the day and returns JSON."""
    catch_up: int
    """The number of missed days before the latest that are also done."""


works: dict[str, DailyWork] = {}
"""All daily work by the name of its task."""


def daily(name: str, *, catch_up: int = 0) -> Callable[[Work], Work]:
    """Make a Celery task of this name that does the work for the due days that lack it.

    `catch_up=0`: after a downtime one run is enough (cleaning up); 7: each missed day of a week
    gets its own run (a report).
    """

    def register(do: Work) -> Work:
        def look() -> dict[str, Any]:
            return do_due(name)

        works[name] = DailyWork(name, do, catch_up)
        shared_task(name=name)(look)
        return do

    return register


def do_all_due() -> dict[str, dict[str, Any]]:
    """Do all daily work that is due and not done; return the results by name and day.

    One that fails, or waits for a lock longer than it may, holds up no other.
    """
    results: dict[str, dict[str, Any]] = {}
    for name in list(works):
        try:
            done = do_due(name)
        except Error as error:
            if is_outage(error):
                raise
            logger.warning("%s can't be looked at: %s", name, error)
            done = {"error": str(error)}
        if done:
            results[name] = done
    return results


def do_due(name: str) -> dict[str, Any]:
    """Do this work for each day that is due and not done; return the results by day.

    Empty if there is nothing to do, or another process does it. A day whose work fails keeps the
    reason and is tried again at the next check.
    """
    work = works[name]
    with try_lock(_LOCK, name, using="writer") as alone:
        if not alone:
            return {}
        return {str(day): _do(work, day) for day in _missing(work)}


def is_daily(name: str) -> bool:
    """Tell whether this task is daily work."""
    return name in works


def do_today(name: str) -> dict[str, Any]:
    """Do this work for today, due or not, done or not, because an operator asks for it.

    Raises RuntimeError while another process does it, or with the reason if it fails.
    """
    with try_lock(_LOCK, name, using="writer") as alone:
        if not alone:
            raise RuntimeError("it is already running")
        today = database_now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()
        result = _do(works[name], today)
        if isinstance(result, dict) and "error" in result:
            raise RuntimeError(result["error"])
        return {str(today): result}


def skip_due() -> None:
    """Record all work that is due as done, without doing it: the shop was restored from a backup.

    The old shop has done it, or its day is over.
    """
    autodiscover_modules("tasks")
    for work in works.values():
        for day in _missing(work):
            DailyRun.objects.finish(DailyRun.objects.begin(work.name, day), {"skipped": True})


def due_days(
    schedule: Any, *, now: datetime, zone: tzinfo, catch_up: int, since: date | None
) -> list[date]:
    """Return the due days, the oldest first: the latest and up to `catch_up` days before.

    `schedule` is a crontab with its time zone `tz`; its first hour is the day's due time. `zone`
    is the shop's time zone and defines "today". `since` is the first day on record: no day before
    it is due, and without it only the latest is.
    """
    today = now.astimezone(zone).date()
    for ago in range(_LOOK_BACK):
        latest = today - timedelta(days=ago)
        if _moment(schedule, latest) <= now and _includes(schedule, latest):
            break
    else:
        return []
    days = [latest - timedelta(days=ago) for ago in range(catch_up, -1, -1)]
    if since is None or since > latest:
        return [latest]
    return [day for day in days if _includes(schedule, day) and day >= since]


def _moment(schedule: Any, day: date) -> datetime:
    """Return the day's due time; if the clocks skip that time, it is later by the skip."""
    hour, minute = min(schedule.hour), min(schedule.minute)
    # If the clocks show a time twice, this is the first; at the second the day has its run.
    return datetime.combine(day, time(hour, minute), tzinfo=schedule.tz)


def _includes(schedule: Any, day: date) -> bool:
    return (
        day.isoweekday() % 7 in schedule.day_of_week
        and day.day in schedule.day_of_month
        and day.month in schedule.month_of_year
    )


def _missing(work: DailyWork) -> list[date]:
    """Return the days that are due and not done, the oldest first."""
    since = DailyRun.objects.first_day(work.name)
    zone, now = ZoneInfo(settings.TIME_ZONE), database_now()
    due: set[date] = set()
    entries = PeriodicTask.objects.filter(task=work.name, enabled=True)
    for entry in entries.select_related("crontab"):
        # Another kind of schedule has no hour: midnight then.
        schedule = entry.crontab.schedule if entry.crontab else TzAwareCrontab("0", "0", tz=zone)
        due.update(due_days(schedule, now=now, zone=zone, catch_up=work.catch_up, since=since))
    return sorted(due - DailyRun.objects.done(work.name, due))


def _do(work: DailyWork, day: date) -> Any:
    """Do the work and record its result or error."""
    run = DailyRun.objects.begin(work.name, day)
    try:
        result = work.do(day)
    except Exception as error:
        logger.exception("%s failed for %s", work.name, day)
        DailyRun.objects.fail(run, f"{type(error).__name__}: {error}")
        return {"error": str(error)}
    DailyRun.objects.finish(run, result)
    return result

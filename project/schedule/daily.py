"""Daily work: done once per day of the shop, whoever asks and however often, and caught up.

An app registers it in its `tasks.py`:

    @daily("project.tasks.prune")
    def prune(day: date) -> dict[str, int]:
        ...

Its hour is that of its entry in django-celery-beat's tables, where the operator moves it or
turns it off. Beat's tick only says "look": a `DailyRun` says for which days the work is done, so
a second beat, a tick twice or an hour early changes nothing, and a missed one is made up for by
the next look (`project.tasks.catch_up`, every few minutes).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from celery import shared_task
from django.conf import settings
from django_celery_beat.models import PeriodicTask
from django_celery_beat.tzcrontab import TzAwareCrontab

from project.database.advisory_lock import try_lock
from project.database.clock import database_now
from project.models import DailyRun

logger = logging.getLogger(__name__)

_LOCK = 0x7E7EDA1
"""With the work's name the key of its advisory lock: each is done by one process alone."""
_LOOK_BACK = 31
"""Days in which the latest due day is looked for: an operator may make of daily monthly."""

Work = Callable[[date], Any]


@dataclass(frozen=True)
class DailyWork:
    """What is done for a day. Killed in the middle it is done again, so it must be idempotent."""

    name: str
    """Its Celery task, which its entry in the schedule names."""
    do: Work
    """Takes the day and returns JSON."""
    catch_up: int
    """How many days before the latest are made up for as well."""


works: dict[str, DailyWork] = {}
"""All daily work by the name of its task."""


def daily(name: str, *, catch_up: int = 0) -> Callable[[Work], Work]:
    """Make a Celery task of this name that does the work for the days that lack it.

    `catch_up=0`: after a downtime once is enough (tidying up); 7: each missed day of a week gets
    its own (a report).
    """

    def register(do: Work) -> Work:
        def look() -> dict[str, Any]:
            return do_due(name)

        works[name] = DailyWork(name, do, catch_up)
        shared_task(name=name)(look)
        return do

    return register


def do_all_due() -> dict[str, dict[str, Any]]:
    """Do whatever daily work is due and not done; return what was done, by name and day."""
    return {name: done for name in list(works) if (done := do_due(name))}


def do_due(name: str) -> dict[str, Any]:
    """Do this work for each day that is due and not done; return the results by day.

    Empty where there is nothing to do, or another process is at it. A day whose work fails
    keeps the reason and is tried again at the next look.
    """
    work = works[name]
    with try_lock(_LOCK, name, using="writer") as alone:
        if not alone:
            return {}
        return {str(day): _do(work, day) for day in _missing(work)}


def is_daily(name: str) -> bool:
    """Whether this task is daily work."""
    return name in works


def do_today(name: str) -> dict[str, Any]:
    """Do this work for today, due or not, done or not, because an operator asks for it.

    Raises RuntimeError while another process is at it, or with the reason if it fails.
    """
    with try_lock(_LOCK, name, using="writer") as alone:
        if not alone:
            raise RuntimeError("it is going on already")
        today = database_now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()
        result = _do(works[name], today)
        if isinstance(result, dict) and "error" in result:
            raise RuntimeError(result["error"])
        return {str(today): result}


def due_days(
    schedule: Any, *, now: datetime, zone: tzinfo, catch_up: int, since: date | None
) -> list[date]:
    """Return the days whose moment has come, the oldest first: the latest and `catch_up` before.

    `schedule` is a crontab with its time zone `tz`; of its hours the first is the day's moment.
    `zone` is the shop's, by which "today" is told. `since` is the first day on record: what was
    before is nobody's business, and without one only the latest is due.
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
    """When the day's work is due. Where the clocks skip that time, the jump's length later."""
    hour, minute = min(schedule.hour), min(schedule.minute)
    # Of a time that the clocks show twice this is the first, and the day has its run by then.
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
    """Do the work and write down what came of it."""
    run = DailyRun.objects.begin(work.name, day)
    try:
        result = work.do(day)
    except Exception as error:
        logger.exception("%s failed for %s", work.name, day)
        DailyRun.objects.fail(run, f"{type(error).__name__}: {error}")
        return {"error": str(error)}
    DailyRun.objects.finish(run, result)
    return result

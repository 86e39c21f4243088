"""The schedule's entries for people: times in words, next runs, results, changes of the time.

The entries themselves are rows of django-celery-beat's tables.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

NAMES = (
    gettext_noop("Audit"),
    gettext_noop("Audit of everything"),
    gettext_noop("Catch up"),
    gettext_noop("Prune"),
    gettext_noop("Prune uploads"),
    gettext_noop("Unpaid orders"),
    gettext_noop("Low stock"),
    gettext_noop("Daily report"),
    gettext_noop("Performance run"),
    gettext_noop("Backup"),
)
"""The names of the migrations' entries, for translation; an operator's names stay as they are."""

DESCRIPTIONS = (
    gettext_noop("Check what changed since the last clean audit."),
    gettext_noop("Check every invariant: stock, orders, sales, jobs."),
    gettext_noop("Do the daily work whose own time was missed."),
    gettext_noop("Delete old task results, sessions, audits and finished jobs."),
    gettext_noop("Delete what shoppers uploaded and didn't order within a day."),
    gettext_noop(
        "Cancel orders that nobody paid in time. The relay looks every 20 seconds by itself"
        " while this is on and PAYMENT_DUE_HOURS is set."
    ),
    gettext_noop("Tell the staff which products have fallen to their threshold."),
    gettext_noop(
        "Place synthetic orders in tables of their own for a minute, and measure how long the shop"
        " takes."
    ),
    gettext_noop("Mail the figures of the day before to the staff."),
    gettext_noop("Back up database and media into BACKUP_FOLDER, and remove the oldest backups."),
)
"""What the migrations' entries do, likewise."""


# ── In words ────────────────────────────────────────────────────────────────────────────────
def when(task: PeriodicTask) -> str:
    """Return the entry's schedule in words: “every day at 06:00”."""
    if task.interval:
        return _every(task.interval)
    if task.crontab:
        return crontab_in_words(task.crontab)
    if task.clocked:
        moment = date_format(localtime(task.clocked.clocked_time), "Y-m-d H:i")
        return _("once, at %(time)s") % {"time": moment}
    return str(task.scheduler or "–")


def next_run(task: PeriodicTask, *, now: datetime) -> datetime | None:
    """Return beat's next tick for it; None if there is none. A past time means: at once."""
    if not task.enabled or (task.expires and task.expires <= now):
        return None
    begin = max(now, task.start_time or now)
    if task.clocked:
        due: datetime = task.clocked.clocked_time
        return due if not task.last_run_at else None
    if task.interval:
        pause = task.interval.schedule.run_every
        return max(begin, (task.last_run_at or begin) + pause)
    if task.crontab:
        schedule = task.crontab.schedule
        start, ahead, _now = schedule.remaining_delta(begin.astimezone(schedule.tz))
        found: datetime = start + ahead
        return found.astimezone(UTC)
    return None


LATE = timedelta(minutes=2)
"""How long after its moment an entry that hasn't run is late."""


def is_late(task: PeriodicTask, *, now: datetime) -> bool:
    """Tell whether the entry should have run by now and hasn't: beat or its worker is away."""
    if not task.enabled or (task.expires and task.expires <= now) or task.clocked:
        return False
    since = task.last_run_at or task.date_changed
    if since is None or (task.start_time and task.start_time > now):
        return False
    if task.interval:
        due: datetime = since + task.interval.schedule.run_every
    elif task.crontab:
        schedule = task.crontab.schedule
        start, ahead, _now = schedule.remaining_delta(since.astimezone(schedule.tz))
        due = start + ahead
    else:
        return False
    return due + LATE < now


MOST_EVERY = 100_000
"""The longest interval, in any period: in days, far below what Python's clock can count."""


def _every(interval: IntervalSchedule) -> str:
    count = interval.every
    texts = {
        "days": ngettext("every day", "every %(count)d days", count),
        "hours": ngettext("every hour", "every %(count)d hours", count),
        "minutes": ngettext("every minute", "every %(count)d minutes", count),
        "seconds": ngettext("every second", "every %(count)d seconds", count),
    }
    text = texts.get(interval.period)
    return text % {"count": count} if text else str(interval)


def crontab_in_words(crontab: CrontabSchedule) -> str:
    """Return the crontab in words: “every day at 06:00”."""
    fields = (crontab.minute, crontab.hour, crontab.day_of_month, crontab.month_of_year)
    minute, hour, day, month = fields
    if month != "*":
        return str(crontab)
    if hour == day == crontab.day_of_week == "*" and minute.startswith("*/"):
        count = int(minute[2:])
        text = ngettext("every minute", "every %(count)d minutes", count) % {"count": count}
    elif not minute.isdecimal() or not (hour.isdecimal() or hour == "*"):
        return str(crontab)
    elif hour == "*":
        text = _("every hour at minute %(minute)s") % {"minute": minute}
    else:
        text = _days(crontab) % {"time": f"{int(hour):02}:{int(minute):02}"}
    if str(crontab.timezone) != settings.TIME_ZONE:
        text = f"{text} ({crontab.timezone})"
    return text


def _days(crontab: CrontabSchedule) -> str:
    """Return the crontab's days in words, with a placeholder for the time."""
    if crontab.day_of_month != "*":
        return _("on day %(days)s of the month at %%(time)s") % {"days": crontab.day_of_month}
    days = sorted(crontab.schedule.day_of_week, key=lambda day: (day - 1) % 7)
    if len(days) == 7:
        return _("every day at %(time)s")
    names = ", ".join(str(WEEKDAYS[(day - 1) % 7]) for day in days)
    return _("%(days)s at %%(time)s") % {"days": names}


# ── Changes ─────────────────────────────────────────────────────────────────────────────────
def set_time(task: PeriodicTask, *, hour: int, minute: int) -> None:
    """Set the entry's time of the day, unsaved. Entries that share its crontab keep theirs."""
    old = task.crontab
    same = {
        "day_of_week": old.day_of_week,
        "day_of_month": old.day_of_month,
        "month_of_year": old.month_of_year,
        "timezone": old.timezone,
    }
    task.crontab = _found_or_made(CrontabSchedule, hour=str(hour), minute=str(minute), **same)


def set_interval(task: PeriodicTask, *, every: int, period: str) -> None:
    """Set the entry's interval, unsaved."""
    task.interval = _found_or_made(IntervalSchedule, every=every, period=period)


def _found_or_made(model: type[Any], **fields: Any) -> Any:
    # The tables have no unique keys: there may be several equal rows.
    return model.objects.filter(**fields).first() or model.objects.create(**fields)


def is_off(task_name: str) -> bool:
    """Tell whether the operator turned off every entry of this task; without entries it is on."""
    entries = set(
        PeriodicTask.objects.filter(task=task_name).values_list("enabled", flat=True).distinct()
    )
    return entries == {False}

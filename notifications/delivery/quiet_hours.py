"""Quiet hours: no marketing message is sent in them (MARKETING_QUIET_HOURS, by the shop's clock).

A marketing message that would be sent in them waits until they end, independent of its queueing
time and earlier delays. Messages that a shopper's action causes are sent at any hour.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from notifications.events import Event
from project.jobs.errors import NotNowError


def keep(event: Event, *, now: datetime) -> None:
    """Raise NotNowError, until the end of the hours, if the event's message must wait."""
    if event.is_marketing and (end := quiet_until(now)):
        raise NotNowError(f"quiet hours until {end:%H:%M}", until=end)


def quiet_until(now: datetime) -> datetime | None:
    """Return the end of the current quiet hours; None outside quiet hours."""
    if settings.MARKETING_QUIET_HOURS is None:
        return None
    begin, end = settings.MARKETING_QUIET_HOURS
    local = timezone.localtime(now, timezone.get_default_timezone())
    today = local.date()
    if begin < end:
        is_quiet, day = begin <= local.time() < end, today
    else:  # over midnight
        is_quiet = not end <= local.time() < begin
        day = today if local.time() < end else today + timedelta(days=1)
    return datetime.combine(day, end, tzinfo=local.tzinfo) if is_quiet else None

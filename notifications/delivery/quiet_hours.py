"""Hours in which nobody gets an offer (MARKETING_QUIET_HOURS, by the shop's clock).

The one rule about them: an offer that would be sent then waits until they end, whenever it was
queued and whatever held it up. What a shopper did something for is sent at any hour.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from notifications.events import Event
from project.jobs.errors import NotNowError


def keep(event: Event, *, now: datetime) -> None:
    """Raise NotNowError, until their end, if the event may not be told now."""
    if event.is_marketing and (end := quiet_until(now)):
        raise NotNowError(f"quiet hours until {end:%H:%M}", until=end)


def quiet_until(now: datetime) -> datetime | None:
    """Return when the quiet hours end that it is in now; None: it is in none."""
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

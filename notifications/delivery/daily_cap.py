"""The daily cap of SMS, in all and by country (SMS_DAILY_CAP), by the shop's clock.

A message beyond the cap waits for the next day, until an hour at which people are awake. A code
would be expired by then, so it is cancelled. `project.limits` counts, so operators see and change
the caps where all limits are. Only messages that a gateway may have accepted stay counted.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import phonenumbers
from django.conf import settings
from django.utils import timezone

from notifications.delivery.cancelling import cancel_claimed
from notifications.events import EVENTS
from notifications.models import Notification
from project.jobs.errors import NotNowError
from project.limits import counters
from project.limits.counters import Count, Counted, LimitReachedError
from project.limits.known import SMS
from project.limits.rates import UNLIMITED

MORNING = time(8)
"""The hour of the next day at which waiting messages are sent."""


def take(notification: Notification) -> list[Counted]:
    """Count an SMS that is about to be sent; return what `give_back` takes back.

    Raises NotNowError if a cap is reached, or LostClaimError after cancelling a code.
    """
    if notification.channel != Notification.Channel.SMS or not settings.SMS_DAILY_CAP:
        return []
    midnight = next_day(timezone.now(), time(0))
    limits = ["all", country_of(notification.recipient)]
    counts = [
        Count(f"{SMS}:{name}", name, settings.SMS_DAILY_CAP.get(name, UNLIMITED), ends_at=midnight)
        for name in limits
    ]
    try:
        return counters.take(counts)
    except LimitReachedError as reached:
        country = reached.limit.removeprefix(f"{SMS}:")
        reason = f"today's cap of SMS is reached ({country})"
        if EVENTS[notification.event].valid_for is not None:
            cancel_claimed(notification, f"{reason}, and its code would be expired tomorrow")
        until = next_day(timezone.now(), MORNING)
        raise NotNowError(f"{reason}: waits until {until:%Y-%m-%d %H:%M}", until=until) from None


def give_back(counted: Sequence[Counted]) -> None:
    """Uncount an SMS that no gateway has accepted."""
    counters.give_back(counted)


def country_of(phone: str) -> str:
    """Return the two letters of the number's country; "?" for a number without one."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return "?"
    return phonenumbers.region_code_for_number(number) or "?"


def next_day(now: datetime, at: time) -> datetime:
    """Return this time of tomorrow, by the shop's clock."""
    zone = timezone.get_default_timezone()
    tomorrow = timezone.localtime(now, zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, at, tzinfo=zone)

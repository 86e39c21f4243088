"""The rate limit of a gateway: a token bucket in its row, for all workers.

EMAIL_PER_MINUTE and SMS_PER_MINUTE limit any period of 60 seconds, not only the average. A bucket
of c tokens that gets r a second gives less than c + 60 r + 1 in any minute;
so with c = 1 + limit / 30 (the tokens of two seconds, because the relay wakes every second)
it gets r = (limit + 1 - c) / 60.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, FloatField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Extract, Greatest, Least, Now

from notifications.delivery.gateways import NOWHERE
from notifications.models import ChannelState, Notification
from project.jobs.errors import NotNowError

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""The `filled_at` of a bucket that was never used: it is full."""


def per_minute(gateway: str) -> int:
    """Return the gateway's limit; 0: none. All gateways of a channel have the same."""
    if gateway == NOWHERE:
        return 0
    if gateway == Notification.Channel.EMAIL:
        return int(settings.EMAIL_PER_MINUTE)
    return int(settings.SMS_PER_MINUTE)


def take(gateway: str) -> None:
    """Take a token for a message that is about to be sent. Raises NotNowError if there is none.

    Without a limit it makes no query.
    """
    limit = per_minute(gateway)
    if not limit or take_slot(gateway, limit):
        return
    _state, is_new = ChannelState.objects.get_or_create(gateway=gateway)
    if not (is_new and take_slot(gateway, limit)):
        raise NotNowError(f"the limit of {limit} a minute is reached")


def free(gateway: str) -> int:
    """Return the number of messages that the gateway may get now."""
    limit = per_minute(gateway)
    states = ChannelState.objects.filter(gateway=gateway).annotate(level=_level(limit))
    found = states.values_list("level", flat=True).first()
    return int(capacity(limit) if found is None else found)


def capacity(limit: int) -> int:
    """Return the bucket's size: the number of messages that may be sent at once."""
    return 1 + limit // 30


def take_slot(gateway: str, limit: int) -> bool:
    """Take one of the gateway's messages, if its limit (a minute) leaves one; in one statement."""
    states = ChannelState.objects.filter(gateway=gateway).annotate(level=_level(limit))
    won = states.filter(level__gte=1).update(
        tokens=F("level") - 1,
        # A statement that waited for the row's lock has an older time than the one before it.
        filled_at=Greatest(F("filled_at"), Now()),
    )
    return bool(won)


def _level(limit: int) -> Combinable:
    """Return the number of tokens in a bucket now."""
    full = capacity(limit)
    rate = (limit + 1 - full) / 60
    filled_at = Coalesce(F("filled_at"), Value(LONG_AGO))
    passed = ExpressionWrapper(Now() - filled_at, output_field=DurationField())
    seconds = Greatest(Extract(passed, "epoch"), Value(0.0), output_field=FloatField())
    level = F("tokens") + seconds * Value(rate)
    return Least(level, Value(float(full)), output_field=FloatField())

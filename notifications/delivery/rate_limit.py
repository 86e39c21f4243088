"""How many messages a gateway may be given: a bucket of tokens in its row, for all workers.

EMAIL_PER_MINUTE and SMS_PER_MINUTE bound what any 60 seconds see, not only an average. A bucket
of c tokens that gets r a second gives less than c + 60 r + 1 in a minute, wherever that begins;
so with c = 1 + limit / 30 (two seconds' worth, which the relay's wake each second can't miss)
it gets r = (limit + 1 - c) / 60.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, FloatField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Extract, Greatest, Least, Now

from notifications.models import ChannelState, Notification
from project.jobs.errors import NotNowError

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""When a bucket that was never used was filled: it is full."""


def per_minute(gateway: str) -> int:
    """The gateway's limit; 0: none. Those of a channel have the same."""
    if gateway == Notification.Channel.EMAIL:
        return int(settings.EMAIL_PER_MINUTE)
    return int(settings.SMS_PER_MINUTE)


def take(gateway: str) -> None:
    """Count a message that is about to be sent. Raises NotNowError if there were enough of them.

    Without a limit it asks nobody.
    """
    limit = per_minute(gateway)
    if not limit or take_slot(gateway, limit):
        return
    _state, is_new = ChannelState.objects.get_or_create(gateway=gateway)
    if not (is_new and take_slot(gateway, limit)):
        raise NotNowError(f"the limit of {limit} a minute is reached")


def free(gateway: str) -> int:
    """Return how many messages the gateway may be given now."""
    limit = per_minute(gateway)
    states = ChannelState.objects.filter(gateway=gateway).annotate(level=_level(limit))
    found = states.values_list("level", flat=True).first()
    return int(capacity(limit) if found is None else found)


def capacity(limit: int) -> int:
    """How many messages may be given at once."""
    return 1 + limit // 30


def take_slot(gateway: str, limit: int) -> bool:
    """Take one of the gateway's messages, if its limit (a minute) leaves one; in one statement."""
    states = ChannelState.objects.filter(gateway=gateway).annotate(level=_level(limit))
    won = states.filter(level__gte=1).update(
        tokens=F("level") - 1,
        # A statement that waited for the row began before the one that it waited for.
        filled_at=Greatest(F("filled_at"), Now()),
    )
    return bool(won)


def _level(limit: int) -> Combinable:
    """How many tokens are in a bucket now."""
    full = capacity(limit)
    rate = (limit + 1 - full) / 60
    filled_at = Coalesce(F("filled_at"), Value(LONG_AGO))
    passed = ExpressionWrapper(Now() - filled_at, output_field=DurationField())
    seconds = Greatest(Extract(passed, "epoch"), Value(0.0), output_field=FloatField())
    level = F("tokens") + seconds * Value(rate)
    return Least(level, Value(float(full)), output_field=FloatField())

"""Messages that wait for their gateway: how many of them may go on, and what is said of it.

They wait while the breaker is open, while an operator has paused the gateway, and when the limit
of a minute is reached. All are parked; the relay calls `wake` every second.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import BooleanField, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from notifications.delivery import rate_limit
from notifications.delivery.gateways import Gateway, all_gateways, gateways
from notifications.events import EVENTS
from notifications.models import ChannelState, Notification
from project.monitoring.health import PAUSED

WAKE_BATCH = 2000
"""How many messages are woken at a time; the relay rings about a thousand a second."""


def wake() -> int:
    """Wake the messages that may go on: all of a gateway that works, or what its limit allows.

    One of each gateway that may be tried again, the least recently tried first: so one message
    that a provider always chokes on isn't the only one that probes.
    """
    bounds = _bounds()
    woken = Notification.objects.exclude(gateway__in=bounds).unpark(limit=WAKE_BATCH)
    for gateway, bound in bounds.items():
        woken += _wake_some(gateway, min(bound, WAKE_BATCH))
    return woken


def _bounds() -> dict[str, int]:
    """How many messages of a gateway may go on, where that aren't simply all.

    Those of a gateway that is no longer used are simply all: another takes them.
    """
    is_due = ExpressionWrapper(Q(open_until__lte=Now()), output_field=BooleanField())
    states = {state.gateway: state for state in _not_simply_working().annotate(is_due=is_due)}
    bounds = {}
    for gateway in all_gateways():
        if state := states.get(gateway.name):
            bounds[gateway.name] = 0 if state.paused_at else int(state.is_due)
        elif rate_limit.per_minute(gateway.name):
            bounds[gateway.name] = rate_limit.free(gateway.name)
    return bounds


def _wake_some(gateway: str, bound: int) -> int:
    """Wake up to so many messages, offers only when nothing else waits."""
    if not bound:
        return 0
    offers = [name for name, event in EVENTS.items() if event.is_marketing]
    waiting = Notification.objects.filter(~Q(event__in=offers), gateway=gateway)
    woken: int = waiting.unpark(limit=bound)
    if woken < bound:
        waiting = Notification.objects.filter(event__in=offers, gateway=gateway)
        woken += waiting.unpark(limit=bound - woken)
    return woken


def _not_simply_working() -> QuerySet[ChannelState]:
    return ChannelState.objects.exclude(openings=0, paused_at=None)


def read_checks() -> dict[str, str]:
    """Return what the health pages say of each channel: "ok", or its reason and for how long.

    Where it has several gateways, each that isn't well is named.
    """
    since = Coalesce(F("paused_at"), F("opened_at"))
    lasts = ExpressionWrapper(Now() - since, output_field=DurationField())
    states = {state.gateway: state for state in _not_simply_working().annotate(lasts=lasts)}
    return {
        f"channel:{channel}": _said(used, states)
        for channel in Notification.Channel.values
        if (used := gateways(channel))
    }


def _said(used: Sequence[Gateway], states: Mapping[str, Any]) -> str:
    """Begins with PAUSED only if nothing is wrong: then somebody wants it so."""
    troubles, pauses = [], []
    for gateway in used:
        state = states.get(gateway.name)
        if state is None:
            continue
        lasts = f"(for {int(state.lasts.total_seconds())} s)"
        several = len(used) > 1
        if state.paused_at:
            pauses.append(f"{PAUSED} {gateway.host} {lasts}" if several else f"{PAUSED} {lasts}")
        else:
            name = f"{gateway.host}: " if several else ""
            troubles.append(f"{name}{state.error} {lasts}")
    return "; ".join(troubles + pauses) or "ok"

"""Parked messages, which wait for their gateway: their waking, and the channels' health checks.

They wait while the breaker is open, while an operator has paused the gateway, and when the
gateway's limit of a minute is reached. The relay calls `wake` every second.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import BooleanField, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from notifications.delivery import rate_limit
from notifications.delivery.gateways import Gateway, all_gateways, gateways
from notifications.models import OFFERS, ChannelState, Notification
from project.monitoring.health import PAUSED, Paused, Report

WAKE_BATCH = 2000
"""The number of messages that are woken at a time; the relay rings about a thousand a second."""


def wake() -> int:
    """Wake messages: all of a working gateway, or as many as its limit allows.

    A gateway that may be probed gets one message, the least recently tried: so a message that
    always makes the provider fail isn't the only one that probes.
    However many are parked, it reads those that it wakes and no others.
    """
    bounds = _bounds()
    others, offers = Notification.objects.filter(~Q(event__in=OFFERS)), _offers()
    waiting = {*_gateways_of(others), *_gateways_of(offers)}
    return sum(
        _wake_some(gateway, min(bounds.get(gateway, WAKE_BATCH), WAKE_BATCH)) for gateway in waiting
    )


def _offers() -> Any:
    return Notification.objects.filter(event__in=OFFERS)


def _gateways_of(messages: Any) -> Iterator[str]:
    """Give the gateways for which some of these wait.

    One step in the index for each: DISTINCT would read all that is parked.
    """
    names = messages.parked().order_by("gateway").values_list("gateway", flat=True)
    name = names.first()
    while name is not None:
        yield name
        name = names.filter(gateway__gt=name).first()


def _bounds() -> dict[str, int]:
    """Return the number of messages that may go on, for each gateway with a bound.

    A gateway that is no longer used has none: another one takes its messages.
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
    """Wake up to so many messages; marketing messages only if no others wait."""
    if not bound:
        return 0
    others = Notification.objects.filter(~Q(event__in=OFFERS), gateway=gateway)
    woken: int = others.unpark(limit=bound)
    if woken < bound:
        woken += _offers().filter(gateway=gateway).unpark(limit=bound - woken)
    return woken


def _not_simply_working() -> QuerySet[ChannelState]:
    return ChannelState.objects.exclude(openings=0, paused_at=None)


def report_channels() -> Report:
    """Return each channel's health check, "ok" or the problem and its duration, and the pauses.

    A gateway whose URL can't be read has no duration: it lasts until the setting is mended.

    Of several gateways, each with a problem is named.
    """
    since = Coalesce(F("paused_at"), F("opened_at"))
    lasts = ExpressionWrapper(Now() - since, output_field=DurationField())
    states = {state.gateway: state for state in _not_simply_working().annotate(lasts=lasts)}
    return Report(
        checks={
            f"channel:{channel}": _said(used, states)
            for channel in Notification.Channel.values
            if (used := gateways(channel))
        },
        pauses=[
            Paused("channel", name, state.paused_by, state.pause_reason)
            for name, state in sorted(states.items())
            if state.paused_at
        ],
    )


def _said(used: Sequence[Gateway], states: Mapping[str, Any]) -> str:
    """Return the check's text; it begins with PAUSED if there are pauses but no problems."""
    troubles, pauses = [], []
    for gateway in used:
        if gateway.problem:
            troubles.append(gateway.problem)
            continue
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

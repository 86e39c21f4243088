"""A gateway's circuit breaker: while its provider is down, messages wait and use no attempts.

    closed ── three failures of the provider in a row ──▶ open ◀─────────────┐
      ▲       (one, if it refuses us or says how long)     │ after 15 s …    │ it fails:
      │                                                    ▼                 │ twice the time,
      └───────────── the provider answers ────────── one message probes ─────┘ 5 min at most

A provider that sends Retry-After gets no message for that time.

The state is a row, because there are several worker processes; time is the database's. Waiting
messages are parked; `notifications.delivery.parked` wakes them.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest, Now

from notifications.models import ChannelState
from project.jobs.errors import NotNowError

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 3
SHORTEST_PAUSE = timedelta(seconds=1)
"""Of a provider that asks for none: the relay looks once a second."""
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
PROBE_TIME = timedelta(seconds=30)
"""The time for which one message probes alone: a send's whole lease."""


def admit(gateway: str) -> bool:
    """Let a message through; True if it probes a provider that was down.

    Raises NotNowError while the breaker is open, or an operator has paused the gateway.
    """
    states = ChannelState.objects.filter(gateway=gateway)
    state = states.exclude(openings=0, paused_at=None).first()
    if state is None:
        return False
    if state.paused_at:
        raise NotNowError(f"paused by {state.paused_by}")
    won = ChannelState.objects.filter(gateway=gateway, open_until__lte=Now()).update(
        open_until=Now() + PROBE_TIME
    )
    if not won:
        raise NotNowError(state.error)
    return True


def answered(gateway: str) -> None:
    """Record that the provider answered, in any way: the breaker closes."""
    closed = (
        ChannelState.objects.filter(gateway=gateway)
        .exclude(failures=0)
        .update(failures=0, openings=0, opened_at=None, open_until=None, error="")
    )
    if closed:
        logger.info("%s: the provider answers", gateway)


def failed(
    gateway: str,
    error: str,
    *,
    probing: bool,
    is_sure: bool = False,
    retry_after: timedelta | None = None,
) -> bool:
    """Note that the provider was down for a message; True if the breaker is open now.

    One failure opens it if the provider is sure to refuse the next message too, or has said how
    long it wants to be left alone: then it stays open so long. Only the failure of a probe, or
    such a word, prolongs an outage: the others began before it was known.
    """
    with transaction.atomic():
        ChannelState.objects.bulk_create([ChannelState(gateway=gateway)], ignore_conflicts=True)
        state = ChannelState.objects.select_for_update().get(gateway=gateway)
        failures = state.failures + 1
        row = ChannelState.objects.filter(gateway=gateway)
        row.update(failures=failures, error=error)
        opens = is_sure or retry_after is not None or failures >= FAILURES_TO_OPEN
        if probing or (opens and not state.openings):
            wait = pause(state.openings)
            if retry_after is not None:
                wait = max(retry_after, SHORTEST_PAUSE)
            row.update(
                openings=state.openings + 1,
                opened_at=Coalesce("opened_at", Now()),
                open_until=Now() + wait,
            )
            logger.warning("%s: the provider is down: %s", gateway, error)
            return True
        if retry_after is not None:
            row.update(open_until=Greatest("open_until", Now() + retry_after))
        return state.openings > 0


def pause(openings: int) -> timedelta:
    """Return the time for which the breaker opens after so many openings: 15 s, 30 s … 5 min."""
    return min(FIRST_PAUSE * 2 ** min(openings, 10), LONGEST_PAUSE)


def try_now(states: QuerySet[ChannelState]) -> int:
    """End the wait of open breakers (the operator's "try now"); return their number."""
    return states.filter(openings__gt=0).update(open_until=Now())

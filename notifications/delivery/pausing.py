"""Pausing a gateway: its messages wait until an operator resumes it.

The mark is in the gateway's row, so the breaker reads it in the same statement.
"""

from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.models import ChannelState


def pause(states: QuerySet[ChannelState], *, by: str, reason: str) -> int:
    """Pause the gateways; return their number. Messages that are being sent still arrive.

    `by` is the operator's name; one that is paused already keeps who paused it, and why.
    """
    return states.filter(paused_at=None).update(paused_at=Now(), paused_by=by, pause_reason=reason)


def resume(states: QuerySet[ChannelState]) -> int:
    """Resume the gateways; return their number. The relay wakes the waiting messages."""
    return states.filter(paused_at__isnull=False).update(
        paused_at=None, paused_by="", pause_reason=""
    )

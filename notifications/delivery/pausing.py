"""A gateway that an operator has paused: its messages wait, and go on when it is resumed.

The mark is in the gateway's row, so that whoever asks the breaker sees it in the same statement.
"""

from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.models import ChannelState


def pause(states: QuerySet[ChannelState], *, by: str) -> int:
    """Let no message through from now on; return of how many. What is being sent arrives."""
    return states.filter(paused_at=None).update(paused_at=Now(), paused_by=by)


def resume(states: QuerySet[ChannelState]) -> int:
    """Let messages through again, and the relay wakes those that wait; return of how many."""
    return states.filter(paused_at__isnull=False).update(paused_at=None, paused_by="")

"""Holds whose time is over."""

from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from orders.models import Hold


def let_expire(hold_id: UUID) -> None:
    """Let the hold's time be over; nothing gives its units back yet."""
    Hold.objects.filter(pk=hold_id).update(expires_at=Now() - timedelta(seconds=1))

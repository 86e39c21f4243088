"""Cancels a message under its claim: nobody has to decide about it, unlike a failed one."""

from typing import NoReturn

from notifications.models import Notification
from project.jobs.errors import LostClaimError


def cancel_claimed(notification: Notification, reason: str) -> NoReturn:
    """Cancel the message with its reason. Raises LostClaimError: its claim has ended."""
    Notification.objects.held(notification).update(error=reason)
    Notification.objects.filter(pk=notification.pk, token=notification.token).cancel()
    raise LostClaimError(notification.pk)

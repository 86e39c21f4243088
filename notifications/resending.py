"""Sending a message to another recipient: the copy is a row of its own, so both logs stay true.

The first message keeps its own delivery state; the copy has its own id, and so its own
Message-ID, attempts and receipt. Its key contains the event and the order: a second click finds
the existing copy.
"""

from typing import Any
from uuid import uuid5

from django.db import IntegrityError, transaction

from notifications.events import EVENTS
from notifications.models import Notification

COPIED = (
    "order_id",
    "kind",
    "context",
    "event",
    "occasion",
    "channel",
    "language",
    "attachments",
    # A rendered message has the same text for every recipient.
    *("subject", "text", "html"),
)
KEY = ("order_id", "event", "occasion", "channel", "recipient")


def may_resend(message: Notification) -> bool:
    """Tell whether the message may go to another recipient: one with a code never may."""
    event = EVENTS.get(message.event)
    return event is not None and not event.secrets


def resend(message: Notification, *, to: str) -> tuple[Notification, bool]:
    """Queue the message for another recipient, and return it with whether it is new.

    False: that recipient has it already, as a copy or the original.
    """
    assert may_resend(message)
    copy = Notification(
        # Without an order there is no key that tells one copy from another, so its id does.
        id=uuid5(message.pk, f"tandem:resend:{to}"),
        recipient=to,
        resent_from=message.pk,
        **{name: getattr(message, name) for name in COPIED},
    )
    try:
        with transaction.atomic():
            copy.save(force_insert=True)
    except IntegrityError:
        return _there_already(copy), False
    return copy, True


def _there_already(copy: Notification) -> Notification:
    known: Any = Notification.objects.filter(pk=copy.pk).first()
    return known or Notification.objects.get(**{name: getattr(copy, name) for name in KEY})

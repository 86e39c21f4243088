"""Sending a message to another recipient: the copy is a row of its own, so both logs stay true.

The first message keeps its own delivery state; the copy has its own id, and so its own
Message-ID, attempts and receipt. Its key contains the event and the order: a second click finds
the existing copy.
"""

from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from notifications.delivery.stored_html import store_html, stored_html
from notifications.events import EVENTS
from notifications.models import Notification
from project.jobs.queryset import Status

COPIED = (
    "order_id",
    "kind",
    "context",
    "event",
    "occasion",
    "channel",
    "language",
    "attachments",
)
RENDERED = ("subject", "text")
"""A rendered message has the same text for every recipient."""
KEY = ("order_id", "event", "occasion", "channel", "recipient")


def may_resend(message: Notification) -> bool:
    """Tell whether the message may go to another recipient: one with a code never may."""
    event = EVENTS.get(message.event)
    return event is not None and not event.secrets


def resend(
    message: Notification, *, to: str, context: dict[str, Any] | None = None
) -> tuple[Notification, bool]:
    """Queue the message for another recipient, and return it with whether it is new.

    False: that recipient has it already, as a copy or the original. With a `context` of its own,
    the copy's text is written anew from that.
    """
    assert may_resend(message)
    same = COPIED if context is not None else COPIED + RENDERED
    copy = Notification(
        # Without an order there is no key that tells one copy from another, so its id does.
        id=uuid5(message.pk, f"tandem:resend:{to}"),
        recipient=to,
        resent_from=message.pk,
        **{name: getattr(message, name) for name in same},
    )
    if context is not None:
        copy.context = context
    try:
        with transaction.atomic():
            copy.save(force_insert=True)
            if context is None:
                store_html(copy, stored_html(message))
    except IntegrityError:
        return _there_already(copy), False
    return copy, True


def redirect(*, order_id: UUID, channel: str, old: str, to: str) -> int:
    """Let the order's messages that were never tried go to `to` instead; return how many.

    Without `to` they are cancelled. One that has been tried may have arrived: it stays as it is.
    A claim takes the row's lock, so it sees either address whole.
    """
    waiting = Notification.objects.filter(
        order_id=order_id, channel=channel, recipient=old, status=Status.QUEUED, attempts=0
    )
    if not to:
        return waiting.cancel()
    same = {name: OuterRef(name) for name in KEY if name != "recipient"}
    is_there = Exists(Notification.objects.filter(recipient=to, **same))
    return waiting.filter(~is_there).update(recipient=to)


def _there_already(copy: Notification) -> Notification:
    known: Any = Notification.objects.filter(pk=copy.pk).first()
    return known or Notification.objects.get(**{name: getattr(copy, name) for name in KEY})

"""Sending a message again: the copy is a row of its own, so both logs stay true.

The first message keeps its own delivery state; the copy has its own id, and so its own
Message-ID, attempts and receipt. A recipient gets one copy by the key of the event and the order.
An operator may want a second one ("it isn't here"): that is asked for by the key of their page, so
that a double click, Back and reload find the existing copy.
"""

from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

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
    """Tell whether the message may be sent once more: one with a code never may."""
    event = EVENTS.get(message.event)
    return event is not None and not event.secrets


def may_repeat(message: Notification) -> bool:
    """Tell whether its recipient may get it once more. One that isn't sent yet is retried."""
    return may_resend(message) and message.status == Status.DONE


def is_repeat(message: Notification) -> bool:
    """Tell whether the recipient had this message of an order before."""
    return bool(message.occasion == str(message.pk))


def resend(
    message: Notification, *, to: str, context: dict[str, Any] | None = None
) -> tuple[Notification, bool]:
    """Queue the message for another recipient, and return it with whether it is new.

    False: that recipient has it already, as a copy or the original. With a `context` of its own,
    the copy's text is written anew from that.
    """
    assert may_resend(message)
    # Without an order there is no key that tells one copy from another, so its id does.
    copy = _copy(message, key=uuid5(message.pk, f"tandem:resend:{to}"), to=to, context=context)
    return (copy, True) if _insert(copy, message) else (_there_already(copy), False)


def resend_once(message: Notification, *, to: str, key: UUID) -> tuple[Notification, bool]:
    """Queue the message for a recipient who may have it already; return it, and if it is new.

    False: this was asked for with the same `key` before. A second message about the same is told
    from the first by its `occasion`, which is its own id.
    """
    assert may_resend(message)
    copy = _copy(message, key=key_of_copy(message, key), to=to)
    if is_repeat(message):
        copy.occasion = str(copy.pk)
    same = Notification.objects.filter(pk=copy.pk)
    if found := same.first():
        return found, False
    if _insert(copy, message):
        return copy, True
    if found := same.first():  # the other click was faster
        return found, False
    copy.occasion = str(copy.pk)
    return (copy, True) if _insert(copy, message) else (same.get(), False)


def key_of_copy(message: Notification, key: UUID) -> UUID:
    """Return the id of the copy that `resend_once` makes with this key."""
    return uuid5(message.pk, f"tandem:again:{key}")


def copies_of(message: Notification) -> QuerySet[Notification]:
    """Return the copies that were made of the message, the oldest first."""
    found: QuerySet[Notification] = Notification.objects.filter(resent_from=message.pk)
    return found.order_by("created_at", "pk")


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


def _copy(
    message: Notification, *, key: UUID, to: str, context: dict[str, Any] | None = None
) -> Notification:
    same = COPIED if context is not None else COPIED + RENDERED
    copy = Notification(
        id=key,
        recipient=to,
        resent_from=message.pk,
        **{name: getattr(message, name) for name in same},
    )
    if context is not None:
        copy.context = context
    return copy


def _insert(copy: Notification, message: Notification) -> bool:
    """Insert the copy of the message; False if there is one with its id or for the same key."""
    try:
        with transaction.atomic():
            copy.save(force_insert=True)
            if copy.text:  # else its first attempt writes it, and the HTML too
                store_html(copy, stored_html(message))
    except IntegrityError:
        return False
    return True


def _there_already(copy: Notification) -> Notification:
    known: Any = Notification.objects.filter(pk=copy.pk).first()
    return known or Notification.objects.get(**{name: getattr(copy, name) for name in KEY})

"""Creates the messages of an event, as unsaved jobs.

The caller inserts them in the transaction of the event, so that both exist or neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings

from notifications.events import EMAIL, EVENTS, SMS
from notifications.models import Notification


def order_messages(
    *,
    event: str,
    order_id: UUID,
    context: dict[str, Any],
    email: str,
    phone: str,
    language: str,
    occasion: str = "",
) -> list[Notification]:
    """Return the unsaved messages to an order's shopper: e-mail, and SMS if there is a phone.

    `occasion` tells events of one kind apart if an order can have several. It is part of
    placing an order, so it makes no queries and no copies: the messages share `context`.
    Without a gateway (`SMS_URL` empty) there is no SMS. Raises KeyError if the event isn't in
    the table.
    """
    recipients = {EMAIL: email, SMS: phone if settings.SMS_URL else ""}
    return [
        Notification(
            order_id=order_id,
            kind=f"{event}.{channel.value}",
            context=context,
            event=event,
            occasion=occasion,
            channel=channel,
            recipient=recipients[channel],
            language=language,
        )
        for channel in EVENTS[event].channels
        if recipients[channel]
    ]


def account_message(
    *, event: str, recipient: str, language: str, context: dict[str, Any]
) -> Notification:
    """Return the unsaved message about an account, by the one channel of its event.

    The event's secrets are stored apart from the context. Raises KeyError if the event isn't
    in the table.
    """
    row = EVENTS[event]
    [channel] = row.channels
    valid_for = {"minutes": row.valid_for // timedelta(minutes=1)} if row.valid_for else {}
    return Notification(
        kind=f"{event}.{channel.value}",
        context={
            "shop_name": settings.SHOP_NAME,
            **valid_for,
            **{name: value for name, value in context.items() if name not in row.secrets},
        },
        secrets={name: context[name] for name in row.secrets} or None,
        event=event,
        channel=channel,
        recipient=recipient,
        language=language,
    )


def announcement_message(
    *,
    announcement_id: int,
    reader_id: int,
    email: str,
    name: str,
    language: str,
    subject: str,
    text: str,
    preferences_url: str,
    unsubscribe_url: str,
) -> Notification:
    """Return the unsaved message of an announcement to one reader.

    Its id derives from both, so that repeated inserts make one row (ON CONFLICT DO NOTHING).
    """
    return Notification(
        id=uuid5(NAMESPACE_URL, f"tandem:announcement:{announcement_id}:{reader_id}"),
        kind=f"announcement.{EMAIL.value}",
        context={
            "shop_name": settings.SHOP_NAME,
            "name": name,
            "subject": subject,
            "text": text,
            "preferences_url": preferences_url,
            "unsubscribe_url": unsubscribe_url,
        },
        event="announcement",
        occasion=str(announcement_id),
        channel=EMAIL,
        recipient=email,
        language=language,
    )


def back_in_stock_message(
    *,
    restock_id: int,
    entry_id: UUID,
    email: str,
    language: str,
    product: str,
    url: str,
    unsubscribe_url: str,
) -> Notification:
    """Return the unsaved message that a product is back, to one address of its waiting list.

    Its id derives from restock and entry, so that repeated inserts make one row (ON CONFLICT DO
    NOTHING).
    """
    return Notification(
        id=uuid5(NAMESPACE_URL, f"tandem:back_in_stock:{restock_id}:{entry_id}"),
        kind=f"back_in_stock.{EMAIL.value}",
        context={
            "shop_name": settings.SHOP_NAME,
            "product": product,
            "url": url,
            "unsubscribe_url": unsubscribe_url,
        },
        event="back_in_stock",
        occasion=str(restock_id),
        channel=EMAIL,
        recipient=email,
        language=language,
    )


@dataclass(frozen=True)
class Staff:
    """A member of staff who gets messages about the shop."""

    email: str
    language: str


def staff_messages(
    *,
    event: str,
    readers: Sequence[Staff],
    context: dict[str, Any],
    occasion: str = "",
    attachments: Sequence[dict[str, str]] = (),
) -> list[Notification]:
    """Return the unsaved messages to the staff, one each, in their languages."""
    return [
        Notification(
            kind=f"{event}.{EMAIL.value}",
            context={"shop_name": settings.SHOP_NAME, **context},
            event=event,
            occasion=occasion,
            channel=EMAIL,
            recipient=reader.email,
            language=reader.language,
            attachments=list(attachments) or None,
        )
        for reader in readers
    ]


def attachment(file: str, *, name: str, cid: str = "") -> dict[str, str]:
    """Return a message's entry for a stored file; several messages may share the file.

    With a `cid` it is a picture that the HTML shows at `cid:…`.
    """
    return {"file": file, "name": name, "cid": cid}

"""Receipts of SMS, from gateways with the protocol of `channels/http_sms.py`.

    {"id": "what the gateway answered", "status": "delivered", "reason": ""}

A gateway that gave no id may send our Idempotency-Key as `key` instead.
"""

from typing import Any
from uuid import UUID

from notifications.models import Notification
from notifications.receipts.report import MalformedError, Report, named_id, said, text

Delivery = Notification.Delivery

MEANINGS = {
    "delivered": Delivery.DELIVERED,
    **dict.fromkeys(("failed", "undelivered", "rejected", "expired"), Delivery.BOUNCED),
}


def read(body: dict[str, Any]) -> Report:
    """Return the receipt's report. Raises MalformedError."""
    key = text(body, "key", required=False)
    try:
        message_id = UUID(key) if key else None
    except ValueError:
        raise MalformedError("key: not an Idempotency-Key of ours") from None
    return Report(
        delivery=MEANINGS.get(text(body, "status").lower()),
        reason=said(body, "reason"),
        message_id=message_id,
        provider_id=named_id(body, required=message_id is None),
    )

"""Receipts of e-mails, in a format with the words that most providers share.

    {"message_id": "<…@shop.example>", "event": "bounced", "reason": "550 no such mailbox"}

`message_id` is the Message-ID, which begins with our id. A provider with a format of its own gets
a module like this one.
"""

from typing import Any
from uuid import UUID

from notifications.models import Notification
from notifications.receipts.report import MalformedError, Report, said, text

Delivery = Notification.Delivery

MEANINGS = {
    **dict.fromkeys(("delivered", "delivery"), Delivery.DELIVERED),
    # Not "deferred" or "soft bounce": the provider tries again and reports the outcome later.
    **dict.fromkeys(
        ("bounced", "bounce", "hard_bounce", "rejected", "failed", "dropped"), Delivery.BOUNCED
    ),
    **dict.fromkeys(("complained", "complaint", "spam_complaint"), Delivery.COMPLAINED),
}


def read(body: dict[str, Any]) -> Report:
    """Return the receipt's report. Raises MalformedError."""
    event = text(body, "event").lower().replace("-", "_").replace(" ", "_")
    local_part = text(body, "message_id").strip("<>").partition("@")[0]
    try:
        message_id = UUID(local_part)
    except ValueError:
        raise MalformedError("message_id: not the Message-ID of one of our e-mails") from None
    return Report(
        delivery=MEANINGS.get(event),
        reason=said(body, "reason"),
        message_id=message_id,
    )

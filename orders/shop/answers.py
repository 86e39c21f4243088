"""What the checkout's page says when a form didn't become an order, as its draft keeps it."""

import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone

from orders.models import CheckoutDraft
from orders.placing.errors import (
    DeliveryChanged,
    InvalidOrder,
    OrderLimited,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    ShopBusy,
    TotalChanged,
    VoucherRefused,
)
from orders.vouchers.wording import refusal_in_words

WAITING = ("busy", "unknown")
"""The answers with a page that waits, and sends the same order again."""
UNKNOWN_RETRY_AFTER = 3
"""Seconds."""


def answer_of(error: PlacementError, *, before: CheckoutDraft | None) -> dict[str, Any]:
    """Return the error as JSON, its `kind` first. `before`: the draft of this form's last attempt.

    A wait that goes on has begun with its first attempt.
    """
    match error:
        case InvalidOrder():
            return {"kind": "invalid", "errors": [asdict(each) for each in error.errors]}
        case OutOfStock():
            return {"kind": "short", "shortages": [asdict(item) for item in error.items]}
        case TotalChanged():
            return {"kind": "total", "total": str(error.total)}
        case VoucherRefused():
            return {"kind": "voucher", "reason": refusal_in_words(error)}
        case DeliveryChanged():
            return {"kind": "delivery", "reason": error.reason}
        case OrderLimited():
            return {
                "kind": "limited",
                "limit": error.limit,
                "retry_after": error.retry_after,
                "minutes": math.ceil(error.retry_after / 60),
            }
        case ShopBusy():
            return _waiting("busy", error.retry_after, before)
        case OutcomeUnknown():
            unknown = _waiting("unknown", UNKNOWN_RETRY_AFTER, before)
            return unknown | {"order_id": str(error.order_id)}
    return {"kind": "failed"}


def _waiting(kind: str, retry_after: int, before: CheckoutDraft | None) -> dict[str, Any]:
    last = before.answer if before is not None and before.answer.get("kind") in WAITING else {}
    return {
        "kind": kind,
        "retry_after": retry_after,
        "since": last.get("since") or timezone.now().isoformat(timespec="seconds"),
        "tries": last.get("tries", 0) + 1,
    }


def seconds_waited(answer: dict[str, Any]) -> int:
    return int((timezone.now() - datetime.fromisoformat(answer["since"])).total_seconds())

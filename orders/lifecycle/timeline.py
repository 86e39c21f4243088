"""An order's timeline as shop and desk show it: the events with their times and notes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order, OrderEvent, User
from project.email_addresses import readable_address
from project.templatetags.money import money
from project.text import isolate

Kind = OrderEvent.Kind


@dataclass(frozen=True)
class Entry:
    title: str
    note: str
    when: datetime
    user: User | None
    """The user who took the step; only the desk shows it."""


def read_timeline(order: Order) -> list[Entry]:
    """Return the order's events, the oldest first, in one query."""
    return [event_entry(event, order.currency) for event in order.events.select_related("user")]


def event_entry(event: OrderEvent, currency: str) -> Entry:
    """Return the event as pages show it; its user is read with it."""
    title = event.get_kind_display()
    return Entry(title, _note(event, currency), event.created_at, event.user)


def _note(event: OrderEvent, currency: str) -> str:
    """Return the part of the event's detail that the shopper may read."""
    detail: dict[str, Any] = event.detail
    match event.kind:
        case Kind.PART_PAID | Kind.PAID | Kind.OVERPAID | Kind.PAID_OUT if detail.get("amount"):
            return money(detail["amount"], currency)
        case Kind.PAYMENT_UNDONE:
            return f"−{money(detail['amount'], currency)}"
        case Kind.PAYMENT_CHECKED if detail.get("outcome") == "nothing":
            return _("It didn't come.")
        case Kind.PAYMENT_CHECKED:
            return _("It came.")
        case Kind.SHIPPED | Kind.PARCEL_CORRECTED:
            parts = (detail.get("carrier"), detail.get("tracking_number"))
            return " · ".join(isolate(part) for part in parts if part)
        case Kind.CANCELLED if detail.get("by_shopper"):
            return _("on the order's page")
        case Kind.CANCELLED if detail.get("expired"):
            return _("not paid in time")
        case Kind.CANCELLED:
            return isolate(str(detail.get("reason", "")))
        case Kind.PART_REFUNDED | Kind.REFUNDED if detail.get("amount"):
            return f"{money(detail['amount'], currency)}: {_items(detail)}"
        case Kind.RETURN_REQUESTED if detail.get("is_late"):
            return _("%(items)s, late") % {"items": _items(detail)}
        case Kind.RETURN_REQUESTED | Kind.RETURN_WITHDRAWN | Kind.RETURN_RECEIVED:
            return _items(detail)
        case Kind.RETURN_ACCEPTED | Kind.RETURN_REFUSED:
            return isolate(str(detail.get("reason", "")))
        case Kind.SENT_AGAIN:
            return ", ".join(isolate(readable_address(to)) for to in detail["recipients"])
    return ""


def _items(detail: dict[str, Any]) -> str:
    return ", ".join(f"{item['quantity']} × {isolate(item['name'])}" for item in detail["items"])

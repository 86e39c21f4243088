"""An order as platforms read it: what was bought, what was sent, and what changed since.

It is the same for `GET /orders/{id}` and for order events: the whole order as it is now.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from orders.accounts.history import orders_of
from orders.agents.completed import is_of_items, line_totals, order_totals
from orders.agents.envelope import minor, site, ucp, without_nothing
from orders.agents.errors import NotAllowed, Outcome
from orders.agents.fulfillment import postal
from orders.agents.negotiation import Session
from orders.agents.versions import LINKING, ORDER, READ_ORDERS
from orders.models import AgentCheckout, Order, OrderEvent, OrderLine, Refund, Return
from orders.models.returns import ReturnStatus

Kind = OrderEvent.Kind
_SENT = (Order.Status.SHIPPED, Order.Status.DELIVERED)
_MOVES = {Kind.PACKED: "processing", Kind.SHIPPED: "shipped", Kind.DELIVERED: "delivered"}
"""Fulfillment events by the kind of the order's."""
_RETURNS = {
    ReturnStatus.REQUESTED: "pending",
    ReturnStatus.ACCEPTED: "pending",
    ReturnStatus.RECEIVED: "completed",
    ReturnStatus.REFUSED: "failed",
    ReturnStatus.WITHDRAWN: "failed",
}


def get_order(session: Session, order_id: UUID) -> dict[str, Any]:
    """Return an order that the platform's own checkout has become, or one that the linked
    person finds in their account (`orders.accounts.history`).

    Raises Outcome, and NotAllowed where a person's consent is needed.
    """
    session.need(ORDER)
    active = session.relevant(ORDER)
    own = AgentCheckout.objects.filter(order_id=order_id, platform=session.platform).first()
    order = Order.objects.filter(pk=order_id).first()
    if own is not None and order is not None:
        return order_entity(order, checkout_id=str(own.pk), active=active)
    if LINKING not in session.active:
        raise Outcome("not_found", "There is no such order.")
    if session.link is None:  # whether there is such an order isn't told
        text = "The order isn't this platform's: a person must link their account."
        raise NotAllowed(401, "identity_required", text, realm=settings.SITE_URL)
    if READ_ORDERS not in session.link.scopes:
        raise NotAllowed(
            403,
            "insufficient_scope",
            f"This operation requires the scope {READ_ORDERS}.",
            realm=settings.SITE_URL,
            error="insufficient_scope",
            scope=READ_ORDERS,
        )
    theirs = orders_of(session.link.user)
    if order is None or not theirs.filter(pk=order.pk).exists():
        raise Outcome("not_found", "There is no such order.")
    return order_entity(order, checkout_id=str(order.pk), active=active)


def order_entity(order: Order, *, checkout_id: str, active: Iterable[str]) -> dict[str, Any]:
    """Return the order as it is now, in seven queries."""
    lines = list(order.lines.all())
    events = list(order.events.order_by("pk"))
    is_off, of_items = order.status == Order.Status.CANCELLED, is_of_items(order)
    return {
        "ucp": ucp(active),
        "id": str(order.pk),
        "label": order.display_number,
        "checkout_id": checkout_id,
        "permalink_url": site(order.get_absolute_url()),
        "currency": order.currency,
        "line_items": [_line(order, line, is_off=is_off, of_items=of_items) for line in lines],
        "fulfillment": {
            "expectations": _expectations(order, lines),
            "events": _movements(events, lines),
        },
        "adjustments": _adjustments(order, events, lines),
        "totals": order_totals(order, lines, of_items=of_items),
    }


def _line(order: Order, line: OrderLine, *, is_off: bool, of_items: bool) -> dict[str, Any]:
    left = 0 if is_off else line.quantity - line.refunded
    sent = left if order.status in _SENT else 0
    return {
        "id": line.sku,
        "item": {"id": line.sku, "title": line.name, "price": minor(line.unit_price)},
        "quantity": {"original": line.quantity, "total": left, "fulfilled": sent},
        "totals": line_totals(line, of_items=of_items),
        "status": _status(left, sent),
    }


def _status(left: int, sent: int) -> str:
    """Return the line's status, by order.md's Status Derivation."""
    if not left:
        return "removed"
    if sent == left:
        return "fulfilled"
    return "partial" if sent else "processing"


def _expectations(order: Order, lines: list[OrderLine]) -> list[dict[str, Any]]:
    """Return what the buyer may expect: one parcel, or the goods in the shop."""
    left = [(line.sku, line.quantity - line.refunded) for line in lines]
    if order.status in Order.UNCOUNTED or not any(count for _sku, count in left):
        return []
    return [
        {
            "id": "parcel",
            "line_items": [{"id": sku, "quantity": count} for sku, count in left if count],
            "method_type": "shipping" if order.address else "pickup",
            "destination": postal(order.address),
            **without_nothing({"description": (order.delivery or {}).get("label", "")}),
            "fulfillable_on": "now",
        }
    ]


def _movements(events: list[OrderEvent], lines: list[OrderLine]) -> list[dict[str, Any]]:
    moved = [event for event in events if event.kind in _MOVES]
    return [
        {
            "id": f"event_{event.pk}",
            "occurred_at": _time(event.created_at),
            "type": _MOVES[Kind(event.kind)],
            "line_items": [{"id": line.sku, "quantity": line.quantity} for line in lines],
            **without_nothing(
                {
                    "carrier": event.detail.get("carrier"),
                    "tracking_number": event.detail.get("tracking_number"),
                }
            ),
        }
        for event in moved
    ]


def _adjustments(
    order: Order, events: list[OrderEvent], lines: list[OrderLine]
) -> list[dict[str, Any]]:
    """Return refunds, returns and the cancellation, each with what it takes off."""
    by_pk = {line.pk: line.sku for line in lines}
    found = [
        {
            "id": f"refund_{refund.pk}",
            "type": "refund",
            "occurred_at": _time(refund.created_at),
            "status": "completed" if refund.status == Refund.Status.PAID_OUT else "pending",
            "line_items": [
                {"id": by_pk[each.line_id], "quantity": -each.quantity}
                for each in refund.lines.all()
            ],
            "totals": [{"type": "total", "amount": -minor(refund.amount)}],
            **without_nothing({"description": refund.reason}),
        }
        for refund in order.refunds.exclude(status=Refund.Status.NOT_OWED)
        .prefetch_related("lines")
        .order_by("created_at", "pk")
    ]
    found += [
        {
            "id": f"return_{each.pk}",
            "type": "return",
            "occurred_at": _time(each.requested_at),
            "status": _RETURNS[ReturnStatus(each.status)],
            "line_items": [
                {"id": by_pk[part.line_id], "quantity": -part.quantity} for part in each.lines.all()
            ],
            **without_nothing({"description": each.reason}),
        }
        for each in Return.objects.filter(order=order).prefetch_related("lines")
    ]
    found += [
        {
            "id": f"event_{event.pk}",
            "type": "cancellation",
            "occurred_at": _time(event.created_at),
            "status": "completed",
            "line_items": [{"id": line.sku, "quantity": -line.quantity} for line in lines],
            **without_nothing({"description": event.detail.get("reason")}),
        }
        for event in events
        if event.kind == Kind.CANCELLED
    ]
    return sorted(found, key=lambda each: each["occurred_at"])


def _time(moment: datetime) -> str:
    return moment.isoformat()

"""What webhooks tell of orders and money: the events that `notifications.webhooks` delivers.

A full payload has the order as it was when the event happened. A thin one has its number and the
address of the API that answers the rest to a key. It never has the id: whoever knows that opens the
order's page, which shows its person.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.backends.utils import CursorWrapper

from notifications.webhooks.events import ORDER_EVENTS
from notifications.webhooks.outbox import SOMEBODY_LISTENS, Event, listeners, tell, write_deliveries
from orders.models import Order, OrderLine, Refund
from orders.placing.agent_events import tell_platform
from orders.placing.draft import Draft, DraftLine, Taken
from project.order_numbers import NUMBER_PREFIX

PLACED = "order.placed"
SOMEBODY_WANTS_PLACED = SOMEBODY_LISTENS.format(kind=PLACED)


def tell_placed(
    cursor: CursorWrapper, drafts: Sequence[Draft], written: Mapping[UUID, Taken]
) -> None:
    """Write the deliveries of a batch of new orders, in its transaction, by two statements."""
    found = listeners(PLACED, cursor=cursor)
    events = [
        _event(
            PLACED,
            draft.order,
            draft.lines,
            number=f"{NUMBER_PREFIX}{taken.number}",
            status=Order.Status.PLACED,
            placed_at=taken.placed_at.isoformat(),
        )
        for draft in drafts
        if not draft.is_synthetic and (taken := written[draft.id])
    ]
    write_deliveries(events, found, cursor=cursor)


def tell_step(order: Order, kind: str, detail: Mapping[str, Any]) -> None:
    """Write the deliveries of an entry in the order's timeline, in the transaction that writes it.

    The order is locked, so its deliveries are written in the order of its events.
    """
    name = f"order.{kind}"
    if name in ORDER_EVENTS:
        tell(name, lambda: order_event(name, order, detail))
        tell_platform(name, order)


def tell_refund(kind: str, order: Order, refund: Refund) -> None:
    """Write the deliveries of a refund that is owed or paid out, in its transaction."""
    tell(f"refund.{kind}", lambda: refund_event(f"refund.{kind}", order, refund))
    tell_platform(f"refund.{kind}", order)


def order_event(name: str, order: Order, detail: Mapping[str, Any] | None = None) -> Event:
    """Return the event of a step of an order that is read after the step."""
    return _event(
        name,
        order,
        order.lines.all(),
        number=order.display_number,
        status=order.status,
        placed_at=order.placed_at.isoformat(),
        detail=dict(detail or {}),
    )


def refund_event(name: str, order: Order, refund: Refund) -> Event:
    """Return the event of a refund."""
    about = {
        "refund_id": str(refund.pk),
        "amount": str(refund.amount),
        "currency": order.currency,
    }
    full = {
        **_reference(order, order.display_number),
        **about,
        "reason": refund.reason,
        "payout_reference": refund.payout_reference,
    }
    return Event(
        name,
        full=full,
        thin={**_thin_reference(order.display_number), **about},
        order_id=order.pk,
        total=order.total,
        country=_country(order),
    )


def _event(
    name: str,
    order: Order,
    lines: Iterable[DraftLine | OrderLine],
    *,
    number: str,
    **values: Any,
) -> Event:
    lines = list(lines)
    full = {
        **_reference(order, number),
        **values,
        "name": order.name,
        "email": order.email,
        "phone": str(order.phone),
        "language": order.language,
        "address": order.address,
        "currency": order.currency,
        "items_total": str(order.items_total),
        "delivery_total": str(order.delivery_total),
        "discount_total": str(order.discount_total),
        "total": str(order.total),
        "payment_method": order.payment_method,
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "total": str(line.total),
            }
            for line in lines
        ],
    }
    return Event(
        name,
        full=full,
        thin=_thin_reference(number),
        order_id=order.pk,
        total=order.total,
        country=_country(order),
        skus=frozenset(line.sku for line in lines),
    )


def _reference(order: Order, number: str) -> dict[str, Any]:
    return {"id": str(order.pk), "number": number, "url": _api_address(order.pk)}


def _thin_reference(number: str) -> dict[str, Any]:
    """Return what names the order to those that may not open its page: a key is asked for here."""
    return {"number": number, "url": _api_address(number)}


def _api_address(reference: UUID | str) -> str:
    return f"{settings.SITE_URL}/api/v1/orders/{reference}"


def _country(order: Order) -> str:
    return str((order.address or {}).get("country", ""))

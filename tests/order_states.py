"""Orders at any point of their life, brought there by the services themselves."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F
from django.utils import timezone

from orders.lifecycle.receiving import receive
from orders.lifecycle.returns import accept, request_return
from orders.lifecycle.transitions import cancel, deliver, pack, pay, refund, ship
from orders.models import Order, Return
from orders.placing.placement import place_order
from tests.factories import order_request

ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}


def placed(*lines: tuple[str, int], **changes: Any) -> Order:
    """Place an order for (sku, quantity) lines."""
    return place_order(order_request(*(lines or (("TEA", 2),)), **changes)).order


def paid(*lines: tuple[str, int], **changes: Any) -> Order:
    order = placed(*lines, **changes)
    return pay(order_id=order.pk, method="transfer", reference="R-1", amount=order.total)


def packed(*lines: tuple[str, int], **changes: Any) -> Order:
    """One that is to be shipped, unless `address` is empty: then it is picked up."""
    return pack(order_id=paid(*lines, **{"address": ADDRESS, **changes}).pk)


def shipped(*lines: tuple[str, int], **changes: Any) -> Order:
    order = packed(*lines, **changes)
    return ship(order_id=order.pk, carrier="DHL", tracking_number="JD01")


def delivered(*lines: tuple[str, int], **changes: Any) -> Order:
    return deliver(order_id=shipped(*lines, **changes).pk)


def cancelled(*lines: tuple[str, int], **changes: Any) -> Order:
    return cancel(order_id=placed(*lines, **changes).pk, reason="broken in store")


def refunded(*lines: tuple[str, int], **changes: Any) -> Order:
    return refund_order(paid(*lines, **changes).pk)


def refund_order(order_id: UUID, lines: dict[str, int] | None = None, **changes: Any) -> Order:
    """Refund some units by SKU, or all, with the goods back in stock unless `restock=False`."""
    wanted: dict[str, Any] = {
        "order_id": order_id,
        "refund_id": uuid4(),
        "restock": True,
        "lines": lines,
    }
    return refund(**wanted | changes)


def ask_return(order: Order, lines: dict[str, int] | None = None, **changes: Any) -> Return:
    """Ask to return some units by SKU, or two of TEA, today."""
    wanted: dict[str, Any] = {
        "order_id": order.pk,
        "return_id": uuid4(),
        "lines": lines or {"TEA": 2},
        "today": timezone.localdate(),
    }
    return request_return(**wanted | changes)


def accepted_return(order: Order, lines: dict[str, int] | None = None) -> Return:
    return accept(return_id=ask_return(order, lines).pk)


def receive_return(
    asked: Return, received: dict[str, int], *, restocked: dict[str, int] | None = None
) -> Return:
    """Enter the units that came by SKU, and those that are sold again: all, by default."""
    back = received if restocked is None else restocked
    return receive(return_id=asked.pk, received=received, restocked=back)


def aged(order: Order, *, hours: int = 49) -> Order:
    """Let the order have been placed so long ago."""
    past = timedelta(hours=hours)
    Order.objects.filter(pk=order.pk).update(
        placed_at=F("placed_at") - past, changed_at=F("changed_at") - past
    )
    return order


def pay_part(order: Order) -> Order:
    return pay(order_id=order.pk, method="card", reference="A", amount=Decimal("1.00"))


def make_old() -> None:
    """Let 15 s pass for the sweep, which leaves alone what may be in flight."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET changed_at = now() - interval '15 s'")
        cursor.execute("UPDATE orders_salesentry SET changed_at = now() - interval '15 s'")

"""Orders with their lines and timelines."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.db.backends.utils import CursorWrapper

from orders.demo.orders.copying import Copied
from orders.demo.orders.life import Life, Placed
from orders.models import Order, OrderEvent, OrderLine
from orders.placing.message_context import message_context
from orders.placing.payment_choice import payment_context

_ORDERS = Copied(
    Order,
    (
        *("id", "number", "door", "user_id", "fingerprint", "status", "name", "email", "phone"),
        *("language", "address", "currency", "items_total", "delivery_total", "total"),
        *("placed_at", "changed_at"),
    ),
)
_LINES = Copied(
    OrderLine,
    ("order_id", "product_id", "sku", "name", "quantity", "unit_price", "total", "refunded"),
)
_EVENTS = Copied(OrderEvent, ("order_id", "kind", "detail", "user_id", "created_at"))


def number_orders(lives: Sequence[Life], numbers: Sequence[int]) -> None:
    """Give the orders their numbers, and their jobs the context with it."""
    for life, number in zip(lives, numbers, strict=True):
        life.order.number = number
        life.context = {
            "number": life.order.display_number,
            # They have what it reads of an order and its lines.
            **message_context(cast(Any, life.order), cast(Any, life.lines)),
        }
        life.context_json = json.dumps(life.context)
        life.first_context = {
            **life.context,
            **payment_context(cast(Any, life.order)),
            "placed_at": life.order.placed_at.isoformat(),
        }
        life.first_context_json = json.dumps(life.first_context)


def write(cursor: CursorWrapper, lives: Sequence[Life]) -> None:
    _ORDERS.write(cursor, (_order(life.order) for life in lives))
    _LINES.write(cursor, (row for life in lives for row in _lines(life)))
    _EVENTS.write(cursor, (row for life in lives for row in _events(life)))


def _order(order: Placed) -> tuple[Any, ...]:
    return (
        *(order.pk, order.number, order.door, order.user_id, order.fingerprint, order.status),
        *(order.name, order.email, order.phone, order.language, json.dumps(order.address)),
        *(order.currency, order.items_total, order.delivery_total, order.total),
        *(order.placed_at, order.changed_at),
    )


def _lines(life: Life) -> Iterator[tuple[Any, ...]]:
    for line in life.lines:
        yield (
            *(life.order.pk, line.goods.id, line.sku, line.name, line.quantity),
            *(line.unit_price, line.total, line.refunded),
        )


def _events(life: Life) -> Iterator[tuple[Any, ...]]:
    for step in life.steps:
        detail = json.dumps(step.detail) if step.detail else "{}"
        yield life.order.pk, step.kind, detail, step.user_id, step.at

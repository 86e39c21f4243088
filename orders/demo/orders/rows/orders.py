"""Orders with their lines and timelines."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from orders.demo.orders.contexts import Contexts
from orders.demo.orders.copying import NULL, Copied, ready, ready_json
from orders.demo.orders.json_text import EMPTY, encode
from orders.demo.orders.life import Life, Placed
from orders.models import Order, OrderEvent, OrderLine

_ORDERS = Copied(
    Order,
    (
        *("id", "number", "door", "user_id", "fingerprint", "status", "name", "email", "phone"),
        *("language", "address", "currency", "items_total", "delivery_total", "total"),
        *("delivery", "placed_at", "changed_at"),
    ),
)
_LINES = Copied(
    OrderLine,
    ("order_id", "product_id", "sku", "name", "quantity", "unit_price", "total", "refunded"),
)
_EVENTS = Copied(OrderEvent, ("order_id", "kind", "detail", "user_id", "created_at"))


def number_orders(lives: Sequence[Life], numbers: Sequence[int], contexts: Contexts) -> None:
    """Give the orders their numbers, and their jobs the contexts with them."""
    for life, number in zip(lives, numbers, strict=True):
        life.order.number = number
        contexts.fill_in(life)


def write(cursor: CursorWrapper, lives: Sequence[Life]) -> None:
    _ORDERS.write_ready(cursor, (_order(life.order) for life in lives))
    _LINES.write_ready(cursor, (row for life in lives for row in _lines(life)))
    _EVENTS.write_ready(cursor, (row for life in lives for row in _events(life)))


def _order(order: Placed) -> tuple[Any, ...]:
    return (
        *(order.pk, order.number, order.door, order.user_id or NULL, order.fingerprint),
        *(order.status, ready(order.name), order.email, order.phone, order.language),
        ready_json(encode(order.address)) if order.address else EMPTY,
        *(order.currency, order.items_total, order.delivery_total, order.total),
        ready_json(encode(order.delivery)) if order.delivery else EMPTY,
        *(order.placed_at, order.changed_at),
    )


def _lines(life: Life) -> Iterator[tuple[Any, ...]]:
    for line in life.lines:
        goods, quantity = line.goods, line.quantity
        yield (
            *(life.order.pk, goods.id, goods.sku, ready(goods.name), quantity),
            *(goods.price, goods.price * quantity, line.refunded),
        )


def _events(life: Life) -> Iterator[tuple[Any, ...]]:
    for step in life.steps:
        detail = ready_json(encode(step.detail)) if step.detail else EMPTY
        yield life.order.pk, step.kind, detail, step.user_id or NULL, step.at

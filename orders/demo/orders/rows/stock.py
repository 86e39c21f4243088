"""Stock movements of orders, cancellations and refunds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from orders.demo.orders import catalogue
from orders.demo.orders.copying import NULL, Copied, ready
from orders.demo.orders.life import Life
from orders.models import StockMovement

_MOVEMENTS = Copied(
    StockMovement,
    ("order_id", "refund_id", "product_id", "kind", "quantity", "reason", "user_id", "created_at"),
)


def write(cursor: CursorWrapper, lives: Sequence[Life]) -> Counter[int]:
    """Write the movements, and before them a delivery of what these orders take.

    Return the units by product that the counters have to be moved by (`catalogue.move_stock`).
    """
    rows = [row for life in lives for row in _movements(life)]
    taken: Counter[int] = Counter()
    moved: Counter[int] = Counter()
    for _order, _refund, product, kind, units, *_rest in rows:
        moved[product] += units
        if kind == "order":
            taken[product] -= units
    catalogue.deliver_stock(cursor, taken, lives[0].order.placed_at)
    _MOVEMENTS.write_ready(cursor, rows)
    return moved + taken


def _movements(life: Life) -> Iterator[tuple[Any, ...]]:
    pk, placed_at = life.order.pk, life.order.placed_at
    for line in life.lines:
        yield pk, NULL, line.goods.id, "order", -line.quantity, "", NULL, placed_at
    if step := life.cancellation:
        why = ready(step.detail["reason"]), step.user_id or NULL, step.at
        for line in life.lines:
            yield pk, NULL, line.goods.id, "cancel", line.quantity, *why
    for refund in life.refunds:
        why = ready(refund.reason), refund.user_id or NULL, refund.at
        for line, units in refund.lines if refund.restocked else ():
            yield pk, refund.id, line.goods.id, "refund", units, *why

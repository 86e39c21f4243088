"""Payments, and refunds with their lines."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from orders.demo.orders.copying import NULL, Copied, ready
from orders.demo.orders.life import Life
from orders.models import Payment, Refund
from project.database.arrays import array_literal

_PAYMENTS = Copied(Payment, ("order_id", "method", "reference", "amount", "user_id", "created_at"))
_REFUNDS = Copied(
    Refund,
    (
        *("id", "order_id", "amount", "restocked", "reason", "user_id"),
        *("created_at", "status", "payout_reference", "paid_out_at", "paid_out_by_id"),
    ),
)
# The refunded lines get their ids from the database: they are found by order and product.
_REFUND_LINES = """
    INSERT INTO orders_refundline (refund_id, line_id, quantity)
    SELECT refund_id, line.id, units
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::integer[])
         WITH ORDINALITY AS refunded (refund_id, order_id, product_id, units, position)
    JOIN orders_orderline AS line USING (order_id, product_id)
    ORDER BY position
"""


def write(cursor: CursorWrapper, lives: Sequence[Life]) -> None:
    _PAYMENTS.write_ready(cursor, (row for life in lives for row in _payments(life)))
    _REFUNDS.write_ready(cursor, (row for life in lives for row in _refunds(life)))
    lines = [
        (UUID(refund.id), UUID(life.order.pk), line.goods.id, units)
        for life in lives
        for refund in life.refunds
        for line, units in refund.lines
    ]
    if lines:
        cursor.execute(
            _REFUND_LINES, [array_literal(column) for column in zip(*lines, strict=True)]
        )


def _payments(life: Life) -> Iterator[tuple[Any, ...]]:
    for paid in life.payments:
        yield life.order.pk, paid.method, paid.reference, paid.amount, life.clerk_id, paid.at


def _refunds(life: Life) -> Iterator[tuple[Any, ...]]:
    for refund in life.refunds:
        is_paid_out = refund.paid_out_at is not None
        yield (
            *(refund.id, life.order.pk, refund.amount, refund.restocked, ready(refund.reason)),
            *(refund.user_id or NULL, refund.at),
            Refund.Status.PAID_OUT if is_paid_out else Refund.Status.OWED,
            *(refund.payout_reference, refund.paid_out_at or NULL),
            life.clerk_id if is_paid_out else NULL,
        )

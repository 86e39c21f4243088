"""Restocking the goods of cancelled and refunded orders: lock the stock, then counter and ledger.

`transitions` and `refunds` call it.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from orders.models import OrderLine, Stock, StockMovement


def lock_stock(order_id: UUID) -> None:
    """Lock the stock of the order's products in product order, as the stock writer does.

    An order's lines never change, so this reads them without a lock.
    """
    products = OrderLine.objects.filter(order_id=order_id).values("product_id")
    rows = Stock.objects.select_for_update(no_key=True).order_by("product_id")
    list(rows.filter(product_id__in=list(products.values_list("product_id", flat=True))))


def return_to_stock(
    units: Mapping[int, int],
    *,
    kind: StockMovement.Kind,
    order_id: UUID,
    reason: str,
    user_id: int | None,
    refund_id: UUID | None = None,
) -> None:
    """Add units by product to the stock, and write the movements. The caller holds the locks.

    One statement writes counters and ledger for all products, so the two never differ.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH back AS (
                SELECT * FROM unnest(%s::bigint[], %s::integer[]) AS back (product_id, units)
            ), counted AS (
                UPDATE orders_stock AS stock SET available = available + units
                FROM back WHERE stock.product_id = back.product_id
            )
            INSERT INTO orders_stockmovement
                (product_id, order_id, refund_id, kind, quantity, reason, user_id)
            SELECT product_id, %s, %s, %s, units, %s, %s FROM back
            """,
            [list(units), list(units.values()), order_id, refund_id, kind, reason, user_id],
        )

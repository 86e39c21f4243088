"""Stock that comes back from orders: locked first, then counted and entered in the ledger."""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from orders.models import OrderLine, Stock, StockMovement


def lock_stock(order_id: UUID) -> None:
    """Lock the stock of all products of the order, as the stock writer does: by product.

    An order's lines never change, so they are read without a lock.
    """
    products = OrderLine.objects.filter(order_id=order_id).values("product_id")
    rows = Stock.objects.select_for_update(no_key=True).order_by("product_id")
    list(rows.filter(product_id__in=list(products.values_list("product_id", flat=True))))


def put_back(
    units: Mapping[int, int],
    *,
    kind: StockMovement.Kind,
    order_id: UUID,
    reason: str,
    user_id: int | None,
    refund_id: UUID | None = None,
) -> None:
    """Add units by product to the stock, whose rows the caller holds, and write why.

    One statement, however many products: the ledger never differs from the counter.
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

"""The corrections of `manage.py audit --fix`: a counter is set to the sum of its ledger."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection, transaction

from orders.audits.subjects import PRODUCTS
from orders.placing.sales_ledger import create_counters
from orders.placing.settle import settle_orders
from project.monitoring.audit import THESE, with_keys

STOCK_DRIFT = f"""
    SELECT stock.product_id, initial + coalesce(moved, 0) - coalesce(held, 0) AS ledger, available
    FROM orders_stock AS stock
    LEFT JOIN (SELECT product_id, sum(quantity) AS moved FROM orders_stockmovement
               WHERE product_id {THESE}
               GROUP BY product_id) AS movement USING (product_id)
    LEFT JOIN (SELECT product_id, sum(quantity) AS held FROM orders_holdline
               WHERE product_id {THESE}
               GROUP BY product_id) AS hold USING (product_id)
    WHERE stock.product_id {THESE}
      AND available <> initial + coalesce(moved, 0) - coalesce(held, 0)
"""
SALES_DRIFT = f"""
    SELECT coalesce(sales.product_id, entry.product_id) AS product_id, sales.units AS counted,
           entry.units AS entered
    FROM (SELECT * FROM orders_productsales WHERE product_id {THESE}) AS sales
    FULL JOIN (SELECT product_id, sum(units) AS units, sum(amount) AS amount
               FROM orders_salesentry WHERE product_id {THESE}
               GROUP BY product_id) AS entry
           ON entry.product_id = sales.product_id
    WHERE (coalesce(sales.units, 0), coalesce(sales.amount, 0))
          <> (coalesce(entry.units, 0), coalesce(entry.amount, 0))
"""


def fix_stock(product_ids: Sequence[int]) -> Iterator[str]:
    """Set each drifted counter to the sum of its ledger, under the counter's lock."""
    for product_id in _drifted(STOCK_DRIFT, product_ids):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                "SELECT initial, available FROM orders_stock WHERE product_id = %s"
                " FOR NO KEY UPDATE",
                [product_id],
            )
            initial, available = cursor.fetchone()
            cursor.execute(
                "SELECT (SELECT coalesce(sum(quantity), 0) FROM orders_stockmovement"
                "        WHERE product_id = %(product)s)"
                "     - (SELECT coalesce(sum(quantity), 0) FROM orders_holdline"
                "        WHERE product_id = %(product)s)",
                {"product": product_id},
            )
            right = initial + cursor.fetchone()[0]
            if right < 0:
                yield f"stock of product {product_id} can't be fixed: its ledger sums to {right}"
            elif right != available:
                yield f"stock of product {product_id}: {available} → {right}"
                cursor.execute(
                    "UPDATE orders_stock SET available = %s WHERE product_id = %s",
                    [right, product_id],
                )


def fix_sales_counters(product_ids: Sequence[int]) -> Iterator[str]:
    """Set each drifted counter to the sum of its entries, under the counter's lock."""
    for product_id in _drifted(SALES_DRIFT, product_ids):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            create_counters(cursor, [product_id])  # if it has none
            cursor.execute(
                "SELECT units, amount FROM orders_productsales WHERE product_id = %s"
                " FOR NO KEY UPDATE",
                [product_id],
            )
            before = cursor.fetchone()
            cursor.execute(
                "SELECT coalesce(sum(units), 0), coalesce(sum(amount), 0)"
                " FROM orders_salesentry WHERE product_id = %s",
                [product_id],
            )
            after = cursor.fetchone()
            if before != after:
                yield f"sales of product {product_id}: {before[0]} → {after[0]} units"
                cursor.execute(
                    "UPDATE orders_productsales SET units = %s, amount = %s WHERE product_id = %s",
                    [*after, product_id],
                )


def fix_sales_entries(order_ids: Sequence[UUID]) -> Iterator[str]:
    """Settle the orders whose sales differ."""
    yield f"settled the sales of {settle_orders(order_ids)} orders"


def _drifted(drift: str, product_ids: Sequence[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            *with_keys(
                f"SELECT product_id FROM ({drift}) AS drift ORDER BY product_id",
                PRODUCTS,
                product_ids,
            )
        )
        return [row[0] for row in cursor.fetchall()]

"""SQL of the sales ledger: the units and amounts of the orders, their entries, the counters.

The sales writer, settle and the audit use it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from project.database.arrays import array_literal

COUNTED_LINES = """
    SELECT line.order_id, line.product_id, line.quantity - line.refunded AS units,
           (line.quantity - line.refunded) * line.unit_price - line.discount
               + round(line.discount * line.refunded / line.quantity, 2) AS amount
    FROM orders_orderline AS line JOIN orders_order ON orders_order.id = line.order_id
    WHERE orders_order.status <> 'cancelled' AND line.refunded < line.quantity
"""
"""The sales of every order: its lines less their discounts, without cancelled and refunded units.
Settle and audit share this one definition."""


@dataclass(frozen=True)
class Sold:
    """The units and the amount that one order adds to one product's sales."""

    units: int
    amount: Decimal


NOTHING = Sold(0, Decimal(0))

Targets = dict[tuple[UUID, int], Sold]
"""The sales that each order should have, by (order, product)."""


def true_targets(cursor: CursorWrapper, order_ids: Iterable[UUID]) -> Targets:
    """Return the orders' sales by their lines, and NOTHING for an entry without such a line."""
    ids = list(order_ids)
    cursor.execute(
        f"""
        SELECT order_id, product_id, coalesce(line.units, 0), coalesce(line.amount, 0)
        FROM (SELECT * FROM ({COUNTED_LINES}) AS counted WHERE order_id = ANY(%s)) AS line
        FULL JOIN (SELECT * FROM orders_salesentry WHERE order_id = ANY(%s)) AS entry
        USING (order_id, product_id)
        """,
        [ids, ids],
    )
    return {(row[0], row[1]): Sold(row[2], row[3]) for row in cursor.fetchall()}


def set_entries(cursor: CursorWrapper, targets: Mapping[tuple[UUID, int], Sold]) -> None:
    """Set the entries to their targets and move the counters by the difference.

    The caller has locked the products' counters, so no entry changes during this statement.
    """
    cursor.execute(
        """
        WITH change AS (
            SELECT target.*,
                   target.units - coalesce(entry.units, 0) AS more_units,
                   target.amount - coalesce(entry.amount, 0) AS more_amount
            FROM unnest(%s::uuid[], %s::bigint[], %s::integer[], %s::numeric[])
                 AS target (order_id, product_id, units, amount)
            LEFT JOIN orders_salesentry AS entry USING (order_id, product_id)
        ), gone AS (
            DELETE FROM orders_salesentry AS entry USING change
            WHERE entry.order_id = change.order_id AND entry.product_id = change.product_id
              AND change.units = 0
        ), kept AS (
            INSERT INTO orders_salesentry (order_id, product_id, units, amount)
            SELECT order_id, product_id, units, amount FROM change
            WHERE units > 0 AND (more_units, more_amount) <> (0, 0)
            ON CONFLICT (order_id, product_id) DO UPDATE
            SET units = EXCLUDED.units, amount = EXCLUDED.amount, changed_at = statement_timestamp()
        )
        UPDATE orders_productsales AS sales
        SET units = sales.units + moved.units, amount = sales.amount + moved.amount
        FROM (
            SELECT product_id, sum(more_units) AS units, sum(more_amount) AS amount
            FROM change GROUP BY product_id
        ) AS moved
        WHERE sales.product_id = moved.product_id AND (moved.units, moved.amount) <> (0, 0)
        """,
        [
            array_literal(order_id for order_id, _product_id in targets),
            array_literal(product_id for _order_id, product_id in targets),
            array_literal(sold.units for sold in targets.values()),
            array_literal(sold.amount for sold in targets.values()),
        ],
    )


def create_counters(cursor: CursorWrapper, product_ids: Iterable[int]) -> set[int]:
    """Create the counters of products that have none; return those that were created."""
    cursor.execute(
        "INSERT INTO orders_productsales (product_id, units, amount)"
        " SELECT product_id, 0, 0 FROM unnest(%s::bigint[]) AS missing (product_id)"
        " ON CONFLICT (product_id) DO NOTHING RETURNING product_id",
        [sorted(product_ids)],
    )
    return {row[0] for row in cursor.fetchall()}

"""Which products' counters to check every five minutes, without adding up their whole ledgers.

A counter is the sum of its ledger. So a counter less its ledger's rows since the audit's mark, the
*balance* at the mark, must be the same at each audit. The last clean audit has stored it
(`AuditedBalance`). A product whose balance is another one now is checked by its whole ledger: it
may have drifted, or rows were added behind the mark (an import, a restored table).

Stock has its movements; what is held now is off the counter,
and in no ledger. Sales have no ledger of changes (an entry is set to what its order counts
for now), but what changes an entry is inserted once: an order's movements (placed, cancelled) and
refund lines. Entries that lag behind their orders are looked up: these changed since the mark.
"""

from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from orders.models import AuditedBalance
from orders.placing.sales_ledger import COUNTED_LINES

_MOVED = """
    SELECT product_id, sum(stock) AS stock, sum(sold) AS sold,
           coalesce(sum(amount), 0) AS amount -- what was only received has no line, and no amount
    FROM (
        SELECT movement.product_id, movement.quantity AS stock, -sale.quantity AS sold,
               -sale.quantity * line.unit_price + CASE movement.kind
                   WHEN 'order' THEN -line.discount
                   WHEN 'cancel' THEN line.discount
                       - round(line.discount * line.refunded / line.quantity, 2)
                   ELSE 0 END AS amount
        FROM orders_stockmovement AS movement
        LEFT JOIN orders_orderline AS line
               ON line.order_id = movement.order_id AND line.product_id = movement.product_id
                  AND movement.kind IN ('order', 'cancel'),
        LATERAL (SELECT CASE WHEN line.id IS NULL THEN 0 ELSE movement.quantity END AS quantity)
             AS sale
        WHERE movement.created_at >= %(since)s AND movement.created_at < %(until)s
        UNION ALL
        SELECT line.product_id, 0, -refunded.quantity,
               -refunded.quantity * line.unit_price + refunded.discount
        FROM orders_refund AS refund
        JOIN orders_refundline AS refunded ON refunded.refund_id = refund.id
        JOIN orders_orderline AS line ON line.id = refunded.line_id
        WHERE refund.created_at >= %(since)s AND refund.created_at < %(until)s
    ) AS movement
    GROUP BY product_id
"""
"""How far the ledgers' rows between two times move the counters, by product. Both ledgers are
inserted in the order of time, so a small BRIN index finds these rows."""

_LATE = f"""
    SELECT product_id, sum(coalesce(entry.units, 0) - coalesce(line.units, 0)) AS sold,
           sum(coalesce(entry.amount, 0) - coalesce(line.amount, 0)) AS amount
    FROM (SELECT * FROM ({COUNTED_LINES}) AS counted
          WHERE order_id IN (SELECT order_id FROM changed)) AS line
    FULL JOIN (SELECT * FROM orders_salesentry
               WHERE order_id IN (SELECT order_id FROM changed)) AS entry
    USING (order_id, product_id)
    WHERE (line.units, line.amount) IS DISTINCT FROM (entry.units, entry.amount)
    GROUP BY product_id
"""
"""The entries' difference to their orders, by product: settle hasn't been there yet."""

_BALANCES = f"""
    WITH changed AS MATERIALIZED (
        SELECT id AS order_id FROM orders_order WHERE changed_at >= %(since)s
        UNION SELECT order_id FROM orders_salesentry WHERE changed_at >= %(since)s
    ), moved AS ({_MOVED}), late AS ({_LATE})
    SELECT product_id,
           coalesce(stock.available, 0) + coalesce(hold.held, 0) - coalesce(stock.initial, 0)
               - coalesce(moved.stock, 0) AS stock,
           coalesce(sales.units, 0) - coalesce(moved.sold, 0) - coalesce(late.sold, 0) AS sold,
           coalesce(sales.amount, 0) - coalesce(moved.amount, 0) - coalesce(late.amount, 0)
               AS amount
    FROM orders_stock AS stock
    FULL JOIN orders_productsales AS sales USING (product_id)
    FULL JOIN moved USING (product_id)
    FULL JOIN late USING (product_id)
    LEFT JOIN (SELECT product_id, sum(quantity) AS held FROM orders_holdline
               GROUP BY product_id) AS hold USING (product_id)
"""

_DIFFERING = f"""
    SELECT product_id, balance.stock, balance.sold, balance.amount
    FROM ({_BALANCES}) AS balance
    LEFT JOIN orders_auditedbalance AS checked USING (product_id)
    WHERE checked.is_checked IS NOT TRUE
       OR (balance.stock, balance.sold, balance.amount)
          <> (checked.stock, checked.sold, checked.amount)
    ORDER BY product_id
"""


def note_differing(*, since: datetime) -> list[int]:
    """Return the products whose balances at the mark differ from those of the last clean audit.

    Their new balances are noted, and count once an audit of them is clean (`carry_forward`).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO orders_auditedbalance (product_id, stock, sold, amount, is_checked)
            SELECT product_id, stock, sold, amount, false FROM ({_DIFFERING}) AS differing
            ON CONFLICT (product_id) DO UPDATE
            SET stock = EXCLUDED.stock, sold = EXCLUDED.sold, amount = EXCLUDED.amount,
                is_checked = false
            RETURNING product_id
            """,
            {"since": since, "until": "infinity"},
        )
        return sorted(row[0] for row in cursor.fetchall())


def carry_forward(since: datetime | None, until: datetime) -> None:
    """Carry the balances from one mark to the next, and count those that were noted."""
    if since is None:
        AuditedBalance.objects.all().delete()
        return
    AuditedBalance.objects.filter(is_checked=False).update(is_checked=True)
    with connection.cursor() as cursor:
        _add_moved(cursor, since=since, until=until)


def _add_moved(cursor: CursorWrapper, *, since: datetime, until: datetime) -> None:
    cursor.execute(
        f"""
        UPDATE orders_auditedbalance AS balance
        SET stock = balance.stock + moved.stock, sold = balance.sold + moved.sold,
            amount = balance.amount + moved.amount
        FROM ({_MOVED}) AS moved WHERE balance.product_id = moved.product_id
        """,
        {"since": since, "until": until},
    )

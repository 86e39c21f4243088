"""The shop's invariants: stock, orders, sales and jobs agree. `manage.py audit` checks them."""

from collections.abc import Iterator

from django.db import connection, transaction
from django.utils.translation import gettext_noop

from orders.placing.sales_ledger import COUNTED_LINES, create_counters
from orders.placing.settle import settle_all
from project.monitoring.audit import Invariant, register

# Sales are committed some milliseconds after stock; after a crash settle needs half a minute.
SETTLED = "now() - interval '60 seconds'"


def fix_stock() -> Iterator[str]:
    """Set each drifted counter to the sum of its ledger, under the counter's lock."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT product_id FROM ({_STOCK_DRIFT}) AS drift ORDER BY product_id")
        product_ids = [row[0] for row in cursor.fetchall()]
    for product_id in product_ids:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                "SELECT initial, available FROM orders_stock WHERE product_id = %s"
                " FOR NO KEY UPDATE",
                [product_id],
            )
            initial, available = cursor.fetchone()
            cursor.execute(
                "SELECT coalesce(sum(quantity), 0) FROM orders_stockmovement WHERE product_id = %s",
                [product_id],
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


def fix_sales_counters() -> Iterator[str]:
    """Set each drifted counter to the sum of its entries, under the counter's lock."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT product_id FROM ({_SALES_DRIFT}) AS drift ORDER BY product_id")
        product_ids = [row[0] for row in cursor.fetchall()]
    for product_id in product_ids:
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


def fix_sales_entries() -> Iterator[str]:
    """Settle every order whose sales differ."""
    settled = settle_all()
    yield f"settled the sales of {settled} orders"


_STOCK_DRIFT = """
    SELECT stock.product_id, initial + coalesce(moved, 0) AS ledger, available
    FROM orders_stock AS stock
    LEFT JOIN (SELECT product_id, sum(quantity) AS moved FROM orders_stockmovement
               GROUP BY product_id) AS movement USING (product_id)
    WHERE available <> initial + coalesce(moved, 0)
"""

_SALES_DRIFT = """
    SELECT coalesce(sales.product_id, entry.product_id) AS product_id, sales.units AS counted,
           entry.units AS entered
    FROM orders_productsales AS sales
    FULL JOIN (SELECT product_id, sum(units) AS units, sum(amount) AS amount
               FROM orders_salesentry GROUP BY product_id) AS entry
           ON entry.product_id = sales.product_id
    WHERE (coalesce(sales.units, 0), coalesce(sales.amount, 0))
          <> (coalesce(entry.units, 0), coalesce(entry.amount, 0))
"""

register(
    Invariant(
        name=gettext_noop("stock: never below zero"),
        query="SELECT 'product ' || product_id || ': ' || available"
        " FROM orders_stock WHERE available < 0",
        checked="SELECT count(*) FROM orders_stock",
    )
)
register(
    Invariant(
        name=gettext_noop("stock: initial + movements = available"),
        query=f"SELECT 'product ' || product_id || ': ledger ' || ledger || ', counter '"
        f" || available FROM ({_STOCK_DRIFT}) AS drift",
        checked="SELECT count(*) FROM orders_stock",
        fix=fix_stock,
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order has lines and took their stock"),
        query="""
            SELECT 'order ' || order_id || ', product ' || product_id || ': lines '
                   || coalesce(line.quantity, 0) || ', taken ' || coalesce(-movement.quantity, 0)
            FROM orders_orderline AS line
            FULL JOIN (SELECT * FROM orders_stockmovement WHERE kind = 'order') AS movement
            USING (order_id, product_id)
            WHERE line.quantity IS DISTINCT FROM -movement.quantity
            UNION ALL
            SELECT 'order ' || id || ': no lines' FROM orders_order
            WHERE NOT EXISTS (SELECT FROM orders_orderline WHERE order_id = orders_order.id)
        """,
        checked="SELECT count(*) FROM orders_order",
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order's items total is the sum of its lines"),
        query="""
            SELECT 'order ' || id || ': lines ' || lines.total || ', order ' || items_total
            FROM orders_order,
            LATERAL (SELECT coalesce(sum(total), 0) AS total FROM orders_orderline
                     WHERE order_id = orders_order.id) AS lines
            WHERE items_total <> lines.total
        """,
        checked="SELECT count(*) FROM orders_order",
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order has its jobs"),
        query="""
            SELECT 'order ' || id FROM orders_order
            WHERE placed_at > now() - interval '7 days'
              AND (NOT EXISTS (SELECT FROM notifications_notification
                               WHERE order_id = orders_order.id AND event = 'order_placed')
                   OR address = '{}' AND NOT EXISTS (
                       SELECT FROM media_jobs_mediajob WHERE order_id = orders_order.id))
        """,
        checked="SELECT count(*) FROM orders_order WHERE placed_at > now() - interval '7 days'",
    )
)
register(
    Invariant(
        name=gettext_noop(
            "orders: an upload of an order has its job, and no line more than its units"
        ),
        query="""
            SELECT 'upload ' || token || ', line ' || line_id || ': no job'
            FROM orders_upload AS upload
            JOIN orders_orderline AS line ON line.id = line_id
            JOIN orders_order ON orders_order.id = order_id
            WHERE placed_at > now() - interval '7 days'
              AND NOT EXISTS (SELECT FROM media_jobs_mediajob AS job
                              WHERE job.order_id = line.order_id
                                AND source = 'upload:' || upload.token)
            UNION ALL
            SELECT 'line ' || line.id || ': units ' || line.quantity || ', uploads '
                   || sum(upload.quantity)
            FROM orders_upload AS upload JOIN orders_orderline AS line ON line.id = line_id
            GROUP BY line.id HAVING sum(upload.quantity) > line.quantity
        """,
        checked="SELECT count(*) FROM orders_upload WHERE line_id IS NOT NULL",
    )
)
# Counters come before entries: settling an entry changes its counter by the difference, so the
# counter must be correct first.
register(
    Invariant(
        name=gettext_noop("sales: counters = sum of entries"),
        query="SELECT 'product ' || product_id || ': counter ' || coalesce(counted, 0)"
        f" || ', entries ' || coalesce(entered, 0) FROM ({_SALES_DRIFT}) AS drift",
        checked="SELECT count(*) FROM orders_productsales",
        fix=fix_sales_counters,
    )
)
register(
    Invariant(
        name=gettext_noop("sales: entries = lines of the orders that count"),
        query=f"""
            SELECT 'order ' || order_id || ', product ' || product_id || ': lines '
                   || coalesce(line.units, 0) || ', entry ' || coalesce(entry.units, 0)
            FROM ({COUNTED_LINES}) AS line
            FULL JOIN orders_salesentry AS entry USING (order_id, product_id)
            LEFT JOIN orders_order ON orders_order.id = order_id
            WHERE (line.units, line.amount) IS DISTINCT FROM (entry.units, entry.amount)
              AND coalesce(orders_order.changed_at, '-infinity') < {SETTLED}
              AND coalesce(entry.changed_at, '-infinity') < {SETTLED}
        """,
        checked="SELECT count(*) FROM orders_salesentry",
        fix=fix_sales_entries,
    )
)
register(
    Invariant(
        name=gettext_noop("orders: what was cancelled or refunded is back in stock"),
        query="""
            SELECT 'order ' || order_id || ', product ' || product_id || ': to give back '
                   || coalesce(due.units, 0) || ', given back ' || coalesce(back.units, 0)
            FROM (
                SELECT order_id, product_id, 'cancel' AS refund, quantity - refunded AS units
                FROM orders_orderline AS line JOIN orders_order ON orders_order.id = order_id
                WHERE status = 'cancelled' AND quantity > refunded
                UNION ALL
                SELECT refund.order_id, line.product_id, refund.id::text, refunded.quantity
                FROM orders_refundline AS refunded
                JOIN orders_refund AS refund ON refund.id = refund_id
                JOIN orders_orderline AS line ON line.id = line_id
                WHERE restocked
            ) AS due
            FULL JOIN (
                SELECT order_id, product_id, coalesce(refund_id::text, kind) AS refund,
                       quantity AS units
                FROM orders_stockmovement WHERE kind IN ('cancel', 'refund')
            ) AS back
            USING (order_id, product_id, refund)
            WHERE due.units IS DISTINCT FROM back.units
        """,
        checked="SELECT count(*) FROM orders_order",
    )
)
register(
    Invariant(
        name=gettext_noop(
            "orders: refunded units = refund lines, and an order is refunded once all are"
        ),
        query="""
            SELECT 'order ' || order_id || ', product ' || product_id || ': refunded '
                   || line.refunded || ', refund lines ' || lines.units
            FROM orders_orderline AS line,
            LATERAL (SELECT coalesce(sum(quantity), 0) AS units FROM orders_refundline
                     WHERE line_id = line.id) AS lines
            WHERE line.refunded <> lines.units
            UNION ALL
            SELECT 'order ' || orders_order.id || ': ' || status || ', left ' || lines.units
            FROM orders_order,
            LATERAL (SELECT sum(quantity - refunded) AS units FROM orders_orderline
                     WHERE order_id = orders_order.id) AS lines
            WHERE (status = 'refunded') <> (lines.units = 0)
        """,
        checked="SELECT count(*) FROM orders_orderline",
    )
)
register(
    Invariant(
        name=gettext_noop("money: payments make an order paid, and refunds never exceed them"),
        query="""
            SELECT 'order ' || id || ': ' || status || ', total ' || total
                   || ', paid ' || payments.sum || ', refunded ' || refunds.sum
            FROM orders_order,
            LATERAL (SELECT coalesce(sum(amount), 0) AS sum, coalesce(bool_or(amount < 0), false)
                            AS undone
                     FROM orders_payment WHERE order_id = orders_order.id) AS payments,
            -- A refund without lines returns what a cancelled or overpaid order didn't need.
            LATERAL (SELECT coalesce(sum(amount), 0) AS sum, coalesce(sum(amount) FILTER (
                            WHERE NOT EXISTS (SELECT FROM orders_refundline
                                              WHERE refund_id = orders_refund.id)), 0) AS surplus
                     FROM orders_refund
                     WHERE order_id = orders_order.id AND status <> 'not_owed') AS refunds
            WHERE refunds.sum > payments.sum
               OR status = 'placed' AND total > 0 AND payments.sum - refunds.surplus >= total
               OR status NOT IN ('placed', 'cancelled') AND payments.sum - refunds.surplus <> total
                  -- A payment can be undone after packing: then the customer owes it.
                  AND NOT (status IN ('packed', 'shipped', 'delivered') AND payments.undone
                           AND payments.sum - refunds.surplus < total)
               OR status IN ('cancelled', 'refunded') AND refunds.sum <> payments.sum
        """,
        checked="SELECT count(*) FROM orders_order",
    )
)
register(
    Invariant(
        name=gettext_noop("accounts: the user's address is one of its rows in allauth's table"),
        query="""
            SELECT 'user ' || id FROM orders_user AS account
            WHERE email <> ''
              AND EXISTS (SELECT FROM account_emailaddress WHERE user_id = account.id)
              AND NOT EXISTS (SELECT FROM account_emailaddress AS own
                              WHERE user_id = account.id AND own.email = lower(account.email))
        """,
        checked="SELECT count(*) FROM orders_user",
    )
)
# CHECKs hold the form; a migration escaped what had none, or had another account's.
register(
    Invariant(
        name=gettext_noop("accounts: addresses have the one form of project.email_addresses"),
        query="""
            SELECT 'user ' || id FROM orders_user WHERE strpos(email, '\\') > 0
            UNION
            SELECT 'user ' || user_id FROM account_emailaddress WHERE strpos(email, '\\') > 0
        """,
        checked="SELECT count(*) FROM orders_user",
    )
)

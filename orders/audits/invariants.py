"""The shop's invariants: stock, orders, sales and jobs agree. `manage.py audit` checks them."""

from django.utils.translation import gettext_noop

from orders.audits.corrections import (
    SALES_DRIFT,
    STOCK_DRIFT,
    fix_sales_counters,
    fix_sales_entries,
    fix_stock,
)
from orders.audits.subjects import ACCOUNTS, INVOICES, ORDERS, PRODUCTS, VOUCHERS
from orders.placing.sales_ledger import COUNTED_LINES
from project.monitoring.audit import THESE, Invariant, register

# Sales are committed some milliseconds after stock; after a crash settle needs half a minute.
SETTLED = "now() - interval '60 seconds'"

# Each table is read by an index for THESE keys, whatever the planner expects: no condition is left
# to a join. What has no column of the order is found by an array of its keys.
_THEIR_LINES = f"ARRAY(SELECT id FROM orders_orderline WHERE order_id {THESE})"
_THEIR_REFUNDS = f"ARRAY(SELECT id FROM orders_refund WHERE order_id {THESE})"
_THEIR_RETURNS = f"ARRAY(SELECT id FROM orders_return WHERE order_id {THESE})"

register(
    Invariant(
        name=gettext_noop("stock: never below zero"),
        subject=PRODUCTS,
        query="SELECT 'product ' || product_id || ': ' || available"
        f" FROM orders_stock WHERE available < 0 AND product_id {THESE}",
        checked=f"SELECT count(*) FROM orders_stock WHERE product_id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("stock: initial + movements - held = available"),
        subject=PRODUCTS,
        query=f"SELECT 'product ' || product_id || ': ledger ' || ledger || ', counter '"
        f" || available FROM ({STOCK_DRIFT}) AS drift",
        checked=f"SELECT count(*) FROM orders_stock WHERE product_id {THESE}",
        fix=fix_stock,
    )
)
register(
    Invariant(
        name=gettext_noop("holds: only open holds have units, and none is open after its time"),
        subject=PRODUCTS,
        # The relay gives it back within five seconds, unless it is away.
        query=f"""
            SELECT 'hold ' || hold.id || ', product ' || product_id || ': ' || status
                   || ', until ' || expires_at
            FROM orders_holdline AS line JOIN orders_hold AS hold ON hold.id = hold_id
            WHERE product_id {THESE}
              AND (status <> 'open' OR expires_at < now() - interval '60 seconds')
        """,
        checked=f"SELECT count(*) FROM orders_holdline WHERE product_id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order has lines and took their stock"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || order_id || ', product ' || product_id || ': lines '
                   || coalesce(line.quantity, 0) || ', taken ' || coalesce(-movement.quantity, 0)
            FROM (SELECT * FROM orders_orderline WHERE order_id {THESE}) AS line
            FULL JOIN (SELECT * FROM orders_stockmovement
                       WHERE kind = 'order' AND order_id {THESE}) AS movement
            USING (order_id, product_id)
            WHERE line.quantity IS DISTINCT FROM -movement.quantity
            UNION ALL
            SELECT 'order ' || id || ': no lines' FROM orders_order
            WHERE id {THESE}
              AND NOT EXISTS (SELECT FROM orders_orderline
                              WHERE order_id = orders_order.id AND order_id {THESE})
        """,
        checked=f"SELECT count(*) FROM orders_order WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order's items total is the sum of its lines"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || id || ': lines ' || coalesce(lines.total, 0) || ', order '
                   || items_total
            FROM orders_order
            LEFT JOIN (SELECT order_id, sum(total) AS total FROM orders_orderline
                       WHERE order_id {THESE} GROUP BY order_id) AS lines
                   ON order_id = id
            WHERE id {THESE} AND items_total <> coalesce(lines.total, 0)
        """,
        checked=f"SELECT count(*) FROM orders_order WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("orders: an order has its jobs"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || id FROM orders_order
            WHERE id {THESE} AND placed_at > now() - interval '7 days'
              AND erased_at IS NULL  -- its messages and media went with its person
              AND (NOT EXISTS (SELECT FROM notifications_notification
                               WHERE order_id = orders_order.id AND order_id {THESE}
                                 AND event = 'order_placed')
                   OR address = '{{}}' AND NOT EXISTS (
                       SELECT FROM media_jobs_mediajob
                       WHERE order_id = orders_order.id AND order_id {THESE}))
        """,
        checked=f"SELECT count(*) FROM orders_order WHERE id {THESE}"
        " AND placed_at > now() - interval '7 days'",
    )
)
register(
    Invariant(
        name=gettext_noop(
            "orders: an upload of an order has its job, and no line more than its units"
        ),
        subject=ORDERS,
        query=f"""
            SELECT 'upload ' || token || ', line ' || line_id || ': no job'
            FROM orders_upload AS upload
            JOIN orders_orderline AS line ON line.id = line_id
            JOIN orders_order ON orders_order.id = order_id
            WHERE line_id = ANY({_THEIR_LINES}) AND line.order_id {THESE}
              AND orders_order.id {THESE} AND placed_at > now() - interval '7 days'
              AND NOT EXISTS (SELECT FROM media_jobs_mediajob AS job
                              WHERE job.order_id = line.order_id AND job.order_id {THESE}
                                AND source = 'upload:' || upload.token)
            UNION ALL
            SELECT 'line ' || line.id || ': units ' || line.quantity || ', uploads '
                   || sum(upload.quantity)
            FROM orders_upload AS upload JOIN orders_orderline AS line ON line.id = line_id
            WHERE line_id = ANY({_THEIR_LINES}) AND line.order_id {THESE}
            GROUP BY line.id HAVING sum(upload.quantity) > line.quantity
        """,
        checked=f"SELECT count(*) FROM orders_upload WHERE line_id = ANY({_THEIR_LINES})",
    )
)
register(
    Invariant(
        name=gettext_noop("vouchers: an order with a code has its use, given back once cancelled"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || coalesce(placed.id, use.order_id) || ': '
                   || coalesce(placed.status, 'no order') || ', discount '
                   || coalesce(placed.discount_total, 0) || ', use '
                   || coalesce(use.amount::text, 'missing')
            FROM (SELECT * FROM orders_order WHERE id {THESE} AND voucher_code <> '') AS placed
            FULL JOIN (SELECT * FROM orders_voucheruse WHERE order_id {THESE}) AS use
                   ON use.order_id = placed.id
            WHERE placed.id IS NULL OR use.order_id IS NULL
               OR placed.discount_total <> use.amount
               OR (placed.status = 'cancelled') <> (use.given_back_at IS NOT NULL)
            UNION ALL
            SELECT 'order ' || id || ': discount ' || discount_total || ', of its lines '
                   || lines.sum
            FROM orders_order
            JOIN (SELECT order_id, sum(discount) AS sum FROM orders_orderline
                  WHERE order_id {THESE} GROUP BY order_id) AS lines ON order_id = id
            WHERE id {THESE} AND discount_total <> lines.sum
        """,
        checked=f"SELECT count(*) FROM orders_voucheruse WHERE order_id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("vouchers: the counter is the number of uses that weren't given back"),
        subject=VOUCHERS,
        query=f"""
            SELECT 'voucher ' || code || ': counter ' || used || ', uses ' || uses.count
            FROM orders_voucher AS voucher,
                 LATERAL (SELECT count(*) FROM orders_voucheruse AS one
                          WHERE one.voucher_id = voucher.id AND given_back_at IS NULL) AS uses
            WHERE voucher.id {THESE} AND used <> uses.count
        """,
        checked=f"SELECT count(*) FROM orders_voucher WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("sales: counters = sum of entries"),
        subject=PRODUCTS,
        query="SELECT 'product ' || product_id || ': counter ' || coalesce(counted, 0)"
        f" || ', entries ' || coalesce(entered, 0) FROM ({SALES_DRIFT}) AS drift",
        checked=f"SELECT count(*) FROM orders_productsales WHERE product_id {THESE}",
        fix=fix_sales_counters,
    )
)
register(
    Invariant(
        name=gettext_noop("sales: entries = lines of the orders that count"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || order_id || ', product ' || product_id || ': lines '
                   || coalesce(line.units, 0) || ', entry ' || coalesce(entry.units, 0)
            -- Both conditions: PostgreSQL doesn't conclude the second, and read all orders.
            FROM ({COUNTED_LINES} AND line.order_id {THESE} AND orders_order.id {THESE}) AS line
            FULL JOIN (SELECT * FROM orders_salesentry
                       WHERE order_id {THESE}) AS entry
            USING (order_id, product_id)
            LEFT JOIN (SELECT id, changed_at FROM orders_order WHERE id {THESE}) AS orders_order
                   ON orders_order.id = order_id
            WHERE (line.units, line.amount) IS DISTINCT FROM (entry.units, entry.amount)
              AND coalesce(orders_order.changed_at, '-infinity') < {SETTLED}
              AND coalesce(entry.changed_at, '-infinity') < {SETTLED}
        """,
        checked=f"SELECT count(*) FROM orders_salesentry WHERE order_id {THESE}",
        fix=fix_sales_entries,
    )
)
register(
    Invariant(
        name=gettext_noop("orders: what was cancelled or refunded is back in stock"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || order_id || ', product ' || product_id || ': to give back '
                   || coalesce(due.units, 0) || ', given back ' || coalesce(back.units, 0)
            FROM (
                SELECT order_id, product_id, 'cancel' AS refund, quantity - refunded AS units
                FROM orders_orderline AS line JOIN orders_order ON orders_order.id = order_id
                WHERE order_id {THESE} AND orders_order.id {THESE}
                  AND status = 'cancelled' AND quantity > refunded
                UNION ALL
                SELECT refund.order_id, line.product_id, refund.id::text, back.units
                FROM orders_refundline AS refunded
                JOIN orders_refund AS refund ON refund.id = refund_id
                JOIN orders_orderline AS line ON line.id = line_id,
                -- A return says it of each line, another refund of all its units.
                LATERAL (SELECT coalesce(units_restocked, CASE WHEN restocked
                                         THEN refunded.quantity ELSE 0 END) AS units) AS back
                WHERE refund_id = ANY({_THEIR_REFUNDS}) AND refund.order_id {THESE}
                  AND line.order_id {THESE} AND back.units > 0
            ) AS due
            FULL JOIN (
                SELECT order_id, product_id, coalesce(refund_id::text, kind) AS refund,
                       quantity AS units
                FROM orders_stockmovement
                WHERE order_id {THESE} AND kind IN ('cancel', 'refund')
            ) AS back
            USING (order_id, product_id, refund)
            WHERE due.units IS DISTINCT FROM back.units
        """,
        checked=f"SELECT count(*) FROM orders_order WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop(
            "orders: refunded units = refund lines, and an order is refunded once all are"
        ),
        subject=ORDERS,
        query=f"""
            -- A refund line of another order's line has none here.
            SELECT coalesce('order ' || order_id || ', product ' || product_id, 'line ' || line_id)
                   || ': refunded ' || coalesce(line.refunded, 0)
                   || ', refund lines ' || coalesce(lines.units, 0)
            FROM (SELECT * FROM orders_orderline WHERE order_id {THESE}) AS line
            FULL JOIN (SELECT line_id, sum(quantity) AS units FROM orders_refundline
                       WHERE refund_id = ANY({_THEIR_REFUNDS}) GROUP BY line_id) AS lines
                   ON line_id = line.id
            WHERE coalesce(line.refunded, 0) <> coalesce(lines.units, 0)
            UNION ALL
            SELECT 'order ' || orders_order.id || ': ' || status || ', left ' || lines.units
            FROM orders_order
            JOIN (SELECT order_id, sum(quantity - refunded) AS units FROM orders_orderline
                  WHERE order_id {THESE} GROUP BY order_id) AS lines ON order_id = id
            WHERE orders_order.id {THESE}
              AND (status = 'refunded') <> (lines.units = 0)
        """,
        checked=f"SELECT count(*) FROM orders_orderline WHERE order_id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("returns: what came is refunded, and no unit is returned twice"),
        subject=ORDERS,
        query=f"""
            SELECT 'return ' || refund_id || ', line ' || line_id
                   || ': received ' || coalesce(came.units, 0) || ' (back in stock '
                   || coalesce(came.back, 0) || '), refunded ' || coalesce(paid.units, 0)
                   || ' (' || coalesce(paid.back, 0) || ')'
            FROM (
                SELECT refund_id, line_id, received AS units, restocked AS back
                FROM orders_returnline JOIN orders_return AS made ON made.id = of_return_id
                WHERE of_return_id = ANY({_THEIR_RETURNS}) AND order_id {THESE} AND received > 0
            ) AS came
            FULL JOIN (
                SELECT refund_id, line_id, quantity AS units, units_restocked AS back
                FROM orders_refundline
                WHERE refund_id = ANY(ARRAY(SELECT refund_id FROM orders_return
                                            WHERE order_id {THESE}))
            ) AS paid
            USING (refund_id, line_id)
            WHERE (came.units, came.back) IS DISTINCT FROM (paid.units, paid.back)
            UNION ALL
            SELECT 'order ' || order_id || ', line ' || line.id || ': units ' || quantity
                   || ', refunded ' || refunded || ', in open returns ' || held.units
            FROM orders_orderline AS line
            JOIN (SELECT line_id, sum(quantity) AS units
                  FROM orders_returnline JOIN orders_return AS made ON made.id = of_return_id
                  WHERE of_return_id = ANY({_THEIR_RETURNS}) AND order_id {THESE}
                    AND status IN ('requested', 'accepted')
                  GROUP BY line_id) AS held ON line_id = line.id
            WHERE order_id {THESE} AND refunded + held.units > quantity
        """,
        checked=f"SELECT count(*) FROM orders_return WHERE order_id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("money: payments make an order paid, and refunds never exceed them"),
        subject=ORDERS,
        query=f"""
            SELECT 'order ' || id || ': ' || status || ', total ' || total
                   || ', paid ' || payments.sum || ', refunded ' || refunds.sum
            FROM orders_order
            LEFT JOIN (SELECT order_id, sum(amount) AS sum, bool_or(amount < 0) AS undone
                       FROM orders_payment WHERE order_id {THESE}
                       GROUP BY order_id) AS payment ON payment.order_id = id
            -- A refund without lines returns what a cancelled or overpaid order didn't need.
            LEFT JOIN (SELECT order_id, sum(amount) AS sum, sum(amount) FILTER (
                              WHERE NOT EXISTS (SELECT FROM orders_refundline
                                                WHERE refund_id = orders_refund.id
                                                  AND refund_id = ANY({_THEIR_REFUNDS})
                              )) AS surplus
                       FROM orders_refund
                       WHERE order_id {THESE} AND status <> 'not_owed'
                       GROUP BY order_id) AS refund ON refund.order_id = id,
            LATERAL (SELECT coalesce(payment.sum, 0) AS sum,
                            coalesce(payment.sum, 0) - coalesce(refund.surplus, 0) AS kept)
                AS payments,
            LATERAL (SELECT coalesce(refund.sum, 0) AS sum) AS refunds
            WHERE orders_order.id {THESE} AND (refunds.sum > payments.sum
                OR status = 'placed' AND total > 0 AND payments.kept >= total
                OR status NOT IN ('placed', 'cancelled') AND payments.kept <> total
                   -- A payment can be undone after packing: then the customer owes it.
                   AND NOT (status IN ('packed', 'shipped', 'delivered')
                            AND coalesce(payment.undone, false)
                            AND payments.kept < total)
                OR status IN ('cancelled', 'refunded') AND refunds.sum <> payments.sum
            )
        """,
        checked=f"SELECT count(*) FROM orders_order WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("invoices: the numbers of a kind have no gap"),
        subject=INVOICES,
        # Each number has the one before it, and the last is the counter's.
        query=f"""
            SELECT invoice.kind || ' ' || number || ': counter ' || coalesce(last, 0)
            FROM orders_invoice AS invoice LEFT JOIN orders_invoicecounter USING (kind)
            WHERE id {THESE}
              AND (number > 1 AND NOT EXISTS (
                       SELECT FROM orders_invoice AS before
                       WHERE before.kind = invoice.kind AND before.number = invoice.number - 1)
                   OR last IS DISTINCT FROM number AND NOT EXISTS (
                       SELECT FROM orders_invoice AS after
                       WHERE after.kind = invoice.kind AND after.number = invoice.number + 1))
        """,
        checked=f"SELECT count(*) FROM orders_invoice WHERE id {THESE}",
    )
)
register(
    Invariant(
        name=gettext_noop("accounts: the user's address is one of its rows in allauth's table"),
        subject=ACCOUNTS,
        query=f"""
            SELECT 'user ' || id FROM orders_user AS account
            WHERE id {THESE} AND email <> ''
              AND EXISTS (SELECT FROM account_emailaddress WHERE user_id = account.id)
              AND NOT EXISTS (SELECT FROM account_emailaddress AS own
                              WHERE user_id = account.id AND own.email = lower(account.email))
        """,
        checked=f"SELECT count(*) FROM orders_user WHERE id {THESE}",
    )
)
# CHECKs hold the form; a migration escaped what had none, or had another account's.
register(
    Invariant(
        name=gettext_noop("accounts: addresses have the one form of project.email_addresses"),
        subject=ACCOUNTS,
        query=f"""
            SELECT 'user ' || id FROM orders_user
            WHERE id {THESE} AND strpos(email, '\\') > 0
            UNION
            SELECT 'user ' || user_id FROM account_emailaddress
            WHERE user_id {THESE} AND strpos(email, '\\') > 0
        """,
        checked=f"SELECT count(*) FROM orders_user WHERE id {THESE}",
    )
)

"""What was cancelled, refunded or returned: its units, its stock and its money."""

from django.utils.translation import gettext_noop

from orders.audits.subjects import ORDERS
from project.monitoring.audit import THESE, Invariant, register

# What has no column of the order is found by an array of its keys.
_THEIR_REFUNDS = f"ARRAY(SELECT id FROM orders_refund WHERE order_id {THESE})"
_THEIR_RETURNS = f"ARRAY(SELECT id FROM orders_return WHERE order_id {THESE})"

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

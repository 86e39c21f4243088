"""An order has its lines, took their stock, and has its jobs and uploads."""

from django.utils.translation import gettext_noop

from orders.audits.subjects import ORDERS
from project.monitoring.audit import THESE, Invariant, register

# What has no column of the order is found by an array of its keys.
_THEIR_LINES = f"ARRAY(SELECT id FROM orders_orderline WHERE order_id {THESE})"

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

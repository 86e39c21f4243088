"""Each use of a voucher is counted, and belongs to an order."""

from django.utils.translation import gettext_noop

from orders.audits.subjects import ORDERS, VOUCHERS
from project.monitoring.audit import THESE, Invariant, register

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

"""The numbers of invoices."""

from django.utils.translation import gettext_noop

from orders.audits.subjects import INVOICES
from project.monitoring.audit import THESE, Invariant, register

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

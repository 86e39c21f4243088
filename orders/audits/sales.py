"""The sales: counters, entries, and the lines of the orders that count."""

from django.utils.translation import gettext_noop

from orders.audits.corrections import SALES_DRIFT, fix_sales_counters, fix_sales_entries
from orders.audits.subjects import ORDERS, PRODUCTS
from orders.placing.sales_ledger import COUNTED_LINES
from project.monitoring.audit import THESE, Invariant, register

# Sales are committed some milliseconds after stock; after a crash settle needs half a minute.
SETTLED = "now() - interval '60 seconds'"

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

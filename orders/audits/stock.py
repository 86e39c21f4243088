"""The stock: its counter, its ledger, and the units that holds set aside."""

from django.utils.translation import gettext_noop

from orders.audits.corrections import STOCK_DRIFT, fix_stock
from orders.audits.subjects import PRODUCTS
from project.monitoring.audit import THESE, Invariant, register

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

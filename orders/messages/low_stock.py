"""Low stock: the staff are told once when a product falls to its threshold.

A row says of which products they know (`StockAlert`); it goes when stock has risen above, so the
next fall is told again. One message names all that fell since the last look.
"""

from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import staff_messages
from orders.accounts.staff import staff
from orders.models import Product

NAMED = 50
"""How many products a message names; the others are counted."""

_ROSE = """
DELETE FROM orders_stockalert AS alert USING orders_stock AS stock, orders_product AS product
WHERE stock.product_id = alert.product_id AND product.id = alert.product_id
  AND (stock.available > coalesce(product.low_stock, %(units)s) OR NOT product.is_active)
"""
_FELL = """
INSERT INTO orders_stockalert (product_id, available)
SELECT product_id, available
FROM orders_stock AS stock JOIN orders_product AS product ON product.id = product_id
WHERE is_active AND available <= coalesce(low_stock, %(units)s)
ORDER BY product_id
ON CONFLICT (product_id) DO NOTHING
RETURNING product_id
"""


def tell_low_stock() -> dict[str, Any]:
    """Tell everyone in `STAFF_EMAILS` which products fell; return how many.

    Two at once tell once: whose row is inserted tells, in the same transaction.
    """
    readers = staff()
    if not readers:
        return {"fell": 0}
    units = {"units": settings.LOW_STOCK_UNITS}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROSE, units)
        cursor.execute(_FELL, units)
        fallen = [row[0] for row in cursor.fetchall()]
        if fallen:
            Notification.objects.bulk_create(
                staff_messages(
                    event="low_stock", readers=readers, context=low_stock_context(fallen)
                )
            )
    return {"fell": len(fallen)}


def low_stock_context(product_ids: list[int]) -> dict[str, Any]:
    """Return what the message says of these products, the lowest first."""
    products = Product.objects.filter(pk__in=product_ids).select_related("stock")
    lowest = products.order_by("stock__available", "name")[:NAMED]
    return {
        "count": len(product_ids),
        "more": max(0, len(product_ids) - NAMED),
        "products": [
            {"sku": product.sku, "name": product.name, "available": product.stock.available}
            for product in lowest
        ],
        "url": f"{settings.SITE_URL}{reverse('admin:orders_product_changelist')}?stock=few",
    }

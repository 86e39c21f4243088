"""Low stock: staff and webhooks are told when a product's stock falls to its threshold.

A `StockAlert` row records that a product was notified. It is deleted when the stock has risen
above the threshold, so the next fall is notified again; webhooks are told that it is back.
One message lists all products that fell since the last run.
"""

from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import staff_messages
from notifications.webhooks.outbox import Event, listeners, tell
from orders.accounts.staff import staff
from orders.models import Product

LOW, BACK = "stock.low", "stock.back"
NAMED = 50
"""The number of products that a message names; it counts the others."""

_DELETE_RISEN = """
DELETE FROM orders_stockalert AS alert USING orders_stock AS stock, orders_product AS product
WHERE stock.product_id = alert.product_id AND product.id = alert.product_id
  AND (stock.available > coalesce(product.low_stock, %(units)s) OR NOT product.is_active
       OR (product.variant_of_id IS NULL AND product.options <> '{}'))
RETURNING alert.product_id, stock.available > coalesce(product.low_stock, %(units)s)
          AND product.is_active
"""
_INSERT_FALLEN = """
INSERT INTO orders_stockalert (product_id, available)
SELECT product_id, available
FROM orders_stock AS stock JOIN orders_product AS product ON product.id = product_id
WHERE is_active AND available <= coalesce(low_stock, %(units)s)
  AND (variant_of_id IS NOT NULL OR options = '{}')
ORDER BY product_id
ON CONFLICT (product_id) DO NOTHING
RETURNING product_id
"""


def notify_low_stock() -> dict[str, Any]:
    """Message the addresses in `STAFF_EMAILS` about the products that fell; return their number.

    Webhooks are told of each that fell, and of each that has risen again.

    Two runs at once send one message: the run that inserts the row sends it, in the same
    transaction.
    """
    readers = staff()
    if not readers and not (listeners(LOW) or listeners(BACK)):
        return {"fell": 0}
    units = {"units": settings.LOW_STOCK_UNITS}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DELETE_RISEN, units)
        risen = [product_id for product_id, is_back in cursor.fetchall() if is_back]
        cursor.execute(_INSERT_FALLEN, units)
        fallen = [row[0] for row in cursor.fetchall()]
        if risen:
            tell(BACK, lambda: _stock_events(BACK, risen))
        if fallen:
            tell(LOW, lambda: _stock_events(LOW, fallen))
        if fallen and readers:
            Notification.objects.bulk_create(
                staff_messages(
                    event="low_stock", readers=readers, context=low_stock_context(fallen)
                )
            )
    return {"fell": len(fallen)}


def _stock_events(name: str, product_ids: list[int]) -> list[Event]:
    products = Product.objects.filter(pk__in=product_ids).select_related("stock").order_by("pk")
    return [
        Event(
            name,
            full={"sku": product.sku, "name": product.name, "available": product.stock.available},
            thin={"sku": product.sku, "available": product.stock.available},
            skus=frozenset({product.sku}),
        )
        for product in products
    ]


def low_stock_context(product_ids: list[int]) -> dict[str, Any]:
    """Return the message's context for these products, the lowest stock first."""
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

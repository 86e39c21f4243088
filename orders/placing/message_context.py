"""The order data that is stored with each of the order's jobs, so that no job reads the order.

`pricing` and `lifecycle.steps` write it; message templates and the pickup pass read it.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse

from orders.models import Order, OrderLine
from orders.placing.draft import DraftLine
from orders.placing.mail_mark import mail_mark
from orders.taxes.splitting import order_taxes


def message_context(order: Order, lines: Iterable[DraftLine | OrderLine]) -> dict[str, Any]:
    """Return the context without the order's number: a new order has no number yet."""
    # Only then do the links of e-mails say that they were followed.
    mark = {"mail_mark": mail_mark(order.pk)} if settings.SMS_FIRST_NEEDS_EMAIL else {}
    lines = list(lines)
    discount = {"code": order.voucher_code, "amount": str(order.discount_total)}
    return {
        **mark,
        **({"discount": discount} if order.discount_total else {}),
        "name": order.name,
        "shop_name": settings.SHOP_NAME,
        "language": order.language,
        "currency": order.currency,
        "is_delivery": bool(order.address),
        "items_total": str(order.items_total),
        "delivery_total": str(order.delivery_total),
        "delivery_label": order.delivery.get("label", ""),
        "total": str(order.total),
        "taxes": [
            {"rate": part.percent, "net": str(part.net), "tax": str(part.tax)}
            for part in order_taxes(order, lines)
        ],
        "status_url": settings.SITE_URL + reverse("order", args=[order.pk]),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "total": str(line.total),
            }
            for line in lines
        ],
    }

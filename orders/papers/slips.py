"""The content of packing slips and pick lists: what is still to be handed over."""

import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import translation
from django.utils.timezone import localtime

from orders.models import Order, OrderLine


def packing_slip(order: Order) -> dict[str, Any]:
    """Return the content of the order's packing slip, in the order's language.

    Units that were refunded aren't packed.
    """
    with translation.override(order.language):  # of the country's name
        recipient = [order.name, *order.address_lines]
    lines = [line for line in order.lines.all() if line.quantity > line.refunded]
    return {
        "paper_number": order.display_number,
        "order_date": f"{localtime(order.placed_at):%Y-%m-%d}",
        "shop_name": settings.SHOP_NAME,
        "language": order.language,
        "recipient": recipient,
        "is_pickup": not order.address,
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity - line.refunded,
                "files": len(line.uploads.all()),
            }
            for line in lines
        ],
    }


def pick_list(orders: Iterable[Order], *, language: str) -> dict[str, Any]:
    """Return the content of the orders' pick list: the units by product, in the shelves' order."""
    numbers = {order.pk: order.display_number for order in orders}
    left = OrderLine.objects.filter(order_id__in=list(numbers), quantity__gt=F("refunded"))
    found: dict[int, dict[str, Any]] = {}
    for line in left.select_related("product").order_by("order__number", "pk"):
        units = line.quantity - line.refunded
        row = found.setdefault(
            line.product_id,
            {
                "shelf": line.product.shelf,
                "sku": line.product.sku,
                "name": line.product.name,
                "quantity": 0,
                "orders": [],
            },
        )
        row["quantity"] += units
        number = numbers[line.order_id]
        row["orders"].append(number if units == 1 else f"{number} × {units}")
    return {
        "paper_number": next(iter(numbers.values())) if len(numbers) == 1 else "",
        "orders": len(numbers),
        "shop_name": settings.SHOP_NAME,
        "language": language,
        "lines": [
            row | {"orders": ", ".join(row["orders"])} for row in sorted(found.values(), key=_way)
        ],
    }


def _way(line: dict[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of a row: A2 before A10, and products without a shelf at the end."""
    parts = re.split(r"(\d+)", line["shelf"].casefold())
    # re.split alternates texts and digits, so that two keys compare like with like.
    natural = [int(part) if index % 2 else part for index, part in enumerate(parts)]
    return not line["shelf"], natural, line["name"], line["sku"]

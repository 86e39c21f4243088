"""A product's form, as the browser sends it."""

from typing import Any

from orders.models import Category


def form(category: Category, **changes: Any) -> dict[str, Any]:
    """Return what the browser sends for a product without pictures, with `changes`."""
    return {
        "name": "Blue mug",
        "sku": "MUG",
        "slug": "blue-mug",
        "category": category.pk,
        "price": "12.30",
        "personalisation": "none",
        "description": "",
        "is_active": "on",
        "media-TOTAL_FORMS": 0,
        "media-INITIAL_FORMS": 0,
        "scheduled_changes-TOTAL_FORMS": 0,
        "scheduled_changes-INITIAL_FORMS": 0,
        **changes,
    }

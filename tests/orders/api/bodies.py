"""The bodies of orders to the API, and the type of the `post` fixture."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

Post = Callable[..., HttpResponse]


def order(*lines: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Return a good body for (sku, quantity) lines, with `changes`."""
    return {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        **changes,
    }

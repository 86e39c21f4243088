"""The shop as a browser sees it, without a server in between."""

import re
from typing import Any

from django.test import Client

Response = Any
"""The test client's response: its type is private to django-stubs."""

SHOPPER = {"name": "Ada Lovelace", "email": "ada@example.org", "handover": "pickup"}
ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}


def send(client: Client, page: Response, **changes: Any) -> Response:
    """Send the form of a checkout page, as typed by our shopper, with `changes`."""
    return client.post("/checkout/", {**hidden_fields(page), **SHOPPER, **changes})


def add(client: Client, sku: str, quantity: int = 1) -> Response:
    return client.post("/cart/", {"action": "add", "sku": sku, "quantity": quantity})


def cart_of(client: Client) -> dict[str, int]:
    return client.session.get("cart", {})


def hidden_fields(response: Response) -> dict[str, list[str]]:
    """What the checkout page sends besides what the shopper types."""
    found: dict[str, list[str]] = {}
    pattern = r'<input type="hidden"\s+name="(key|expected_total|line)"\s+value="([^"]*)"'
    for name, value in re.findall(pattern, response.content.decode()):
        found.setdefault(name, []).append(value)
    return found


def text_of(response: Response) -> str:
    """The page's words, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())

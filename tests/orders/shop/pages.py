"""The shop as a browser sees it, without a server in between."""

import re
from typing import Any

from django.test import Client

from orders.carts.cart import ShopperCart

Response = Any
"""The test client's response: its type is private to django-stubs."""

SHOPPER = {"name": "Ada Lovelace", "email": "ada@example.org", "handover": "pickup"}
ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}


def send(client: Client, page: Response, **changes: Any) -> Response:
    """Send the form of a checkout page, as typed by our shopper, with `changes`.

    Return the answer; for a form that became no order the page that it leads to.
    """
    answer = client.post("/checkout/", {**hidden_fields(page), **SHOPPER, **changes})
    led_to = answer.headers.get("Location", "")
    return client.get(led_to) if led_to.startswith("/checkout/") else answer


def add(client: Client, sku: str, quantity: int = 1) -> Response:
    return client.post("/cart/", {"action": "add", "sku": sku, "quantity": quantity})


def cart_of(client: Client) -> dict[str, int]:
    """The units in the browser's cart by SKU."""
    user_id = client.session.get("_auth_user_id")
    cart = ShopperCart(client.session, user_id=int(user_id) if user_id else None)
    return {line.sku: line.quantity for line in cart.lines}


def hidden_fields(response: Response) -> dict[str, list[str]]:
    """What the checkout page sends besides what the shopper types."""
    found: dict[str, list[str]] = {}
    names = "key|hold|expected_total|counted_delivery|line"
    pattern = rf'<input type="hidden"\s+name="({names})"\s+value="([^"]*)"'
    for name, value in re.findall(pattern, response.content.decode()):
        found.setdefault(name, []).append(value)
    return found


def text_of(response: Response) -> str:
    """The page's words, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())

"""Fixtures for the shop's pages; the ways to send and read them are in `pages`."""

import pytest
from django.test import Client

from tests.factories import add_product
from tests.orders.shop.pages import Response, add


@pytest.fixture
def form(db: None, client: Client) -> Response:
    """The checkout of a cart with two mugs."""
    add_product("MUG", stock=10, price="9.90")
    add(client, "MUG", 2)
    return client.get("/checkout/")

"""Fixtures for tests that place orders."""

from collections.abc import Iterator

import pytest
from django.test import Client

from orders.placing.writers import drain
from tests.factories import add_product
from tests.orders.shop.pages import Response, add


@pytest.fixture
def writers() -> Iterator[None]:
    """End the writer threads with the test, before its database is emptied."""
    yield
    assert drain(timeout=20)


@pytest.fixture
def form(db: None, client: Client) -> Response:
    """The checkout of a cart with two mugs."""
    add_product("MUG", stock=10, price="9.90")
    add(client, "MUG", 2)
    return client.get("/checkout/")

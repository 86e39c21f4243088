"""The API as a client sees it, without a server in between."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from orders.placing.writers import drain
from tests.factories import new_key

Post = Callable[..., HttpResponse]


@pytest.fixture
def writers() -> Iterator[None]:
    """End the writer threads with the test, before its database is emptied."""
    yield
    assert drain(timeout=20)


@pytest.fixture
def post() -> Post:
    """POST an order: JSON or, as text or bytes, just that; `key` None sends none."""

    def send(body: Any, *, key: str | None = "", **headers: str) -> Any:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        if key is not None:
            headers["idempotency-key"] = key or new_key()
        client = Client(raise_request_exception=False, headers=headers)
        return client.post("/api/v1/orders", data, content_type="application/json")

    return send


def order(*lines: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Return a good body for (sku, quantity) lines, with `changes`."""
    return {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        **changes,
    }

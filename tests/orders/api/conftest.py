"""The API as a client sees it, without a server in between."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.factories import new_key
from tests.orders.api.bodies import Post


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

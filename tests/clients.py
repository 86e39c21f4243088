"""API clients with keys, and a caller that sends one."""

import json
from collections.abc import Iterable
from typing import Any

from django.test import Client

from orders.clients.keys import create_client, make_key
from orders.clients.scopes import SCOPES
from orders.models import ApiClient
from tests.factories import new_key

API = "/api/v1/"


def api_client(name: str = "Warehouse", **fields: Any) -> ApiClient:
    known = ApiClient.objects.filter(name=name).first()
    return known or create_client(name=name, **fields)


def key_of(name: str = "Warehouse", *, scopes: Iterable[str] = SCOPES, **fields: Any) -> str:
    """Return the text of a new key of the client, which is made if there is none of the name."""
    return make_key(api_client(name), scopes=scopes, **fields).secret.text


class Caller:
    """Asks the API with a key; an empty one sends none."""

    def __init__(self, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = Client(raise_request_exception=False, headers=headers)

    def get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(API + path, parameters)

    def post(self, path: str, body: Any = None, *, key: str | None = "") -> Any:
        """POST the body as JSON; `key`: the Idempotency-Key, a new one if empty, None for none."""
        headers = {} if key is None else {"idempotency-key": key or new_key()}
        return self._client.post(
            API + path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers=headers,
        )

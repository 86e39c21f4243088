"""An agent that shops by the REST binding: by Django's test client, or over HTTP."""

import json
from typing import Any
from uuid import uuid4

import httpx
from django.test import Client

PROFILE = "https://platform.test/agent"
"""A platform that a local run knows (`orders.agents.local_platforms`)."""
BUYER = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
PLACE = {
    "id": "home",
    "street_address": "1 Main St",
    "address_locality": "Springfield",
    "address_region": "IL",
    "postal_code": "62701",
    "address_country": "US",
}


def lines(*wanted: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"item": {"id": sku}, "quantity": quantity} for sku, quantity in wanted]


TYPES = {"mock_payment_handler": "card", "transfer": "invoice"}


def paying(token: str = "success_token", *, handler: str = "mock_payment_handler") -> Any:
    """Return the body of a completion."""
    instrument = {
        "id": "instrument_1",
        "handler_id": handler,
        "type": TYPES.get(handler, "redirect"),
        "selected": True,
        "credential": {"type": "token", "token": token},
    }
    return {"payment": {"instruments": [instrument]}}


def delivered(option: str | None = None, **place: str) -> dict[str, Any]:
    method: dict[str, Any] = {"type": "shipping", "destinations": [{**PLACE, **place}]}
    if option:
        method["groups"] = [{"selected_option_id": option}]
    return {"methods": [method]}


class Agent:
    """What one platform's agent sends. `url`: of a started shop; without it the test client's."""

    def __init__(self, *, url: str = "", profile: str = PROFILE) -> None:
        self.profile = profile
        self._url = url

    def send(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> tuple[int, Any]:
        """Return status and JSON of the answer."""
        answer = self.answer(method, path, body, key=key, **headers)
        return answer.status_code, answer.json()

    def answer(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> Any:
        sent = {
            "UCP-Agent": f'profile="{self.profile}"',
            "Request-Id": str(uuid4()),
            **({} if method == "GET" else {"Idempotency-Key": key or str(uuid4())}),
            **headers,
        }
        content = b"" if body is None else json.dumps(body).encode()
        if not self._url:
            json_type = "application/json"
            return Client().generic(method, f"/ucp/v1{path}", content, json_type, headers=sent)
        sent["Content-Type"] = "application/json"
        url = f"{self._url}/ucp/v1{path}"
        return httpx.request(
            method, url, content=content, headers=sent, timeout=30, trust_env=False
        )

    def checkout(self, *wanted: tuple[str, int], **parts: Any) -> dict[str, Any]:
        """Create a checkout that is ready: its buyer is known, and it is picked up."""
        body = {"line_items": lines(*wanted), "buyer": BUYER, **parts}
        status, checkout = self.send("POST", "/checkout-sessions", body)
        assert status == 201, checkout
        return dict(checkout)

    def complete(
        self, checkout: dict[str, Any], payment: Any = None, *, key: str = ""
    ) -> tuple[int, Any]:
        path = f"/checkout-sessions/{checkout['id']}/complete"
        return self.send("POST", path, payment or paying(), key=key)


def total_of(checkout: dict[str, Any], kind: str = "total") -> int:
    return sum(each["amount"] for each in checkout["totals"] if each["type"] == kind)


def codes_of(checkout: dict[str, Any]) -> list[str]:
    return [each["code"] for each in checkout.get("messages", [])]

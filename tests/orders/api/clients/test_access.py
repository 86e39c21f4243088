"""Keys at the door: who is let in, what each answer says, and that nothing changes without one."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from orders.api import client_access
from orders.clients.scopes import ORDERS_READ, SCOPES, STOCK_READ
from orders.models import ApiClient, ApiKey
from tests.clients import Caller, api_client, key_of
from tests.factories import add_product, make_order
from tests.orders.api.bodies import order

pytestmark = pytest.mark.django_db

KEYED = (
    ("get", "orders", "orders:read"),
    ("post", "orders/T1/pay", "orders:write"),
    ("post", "orders/T1/pack", "orders:write"),
    ("post", "orders/T1/ship", "orders:write"),
    ("post", "orders/T1/deliver", "orders:write"),
    ("post", "orders/T1/cancel", "orders:write"),
    ("post", "orders/T1/refund", "orders:write"),
    ("get", "stock", "stock:read"),
    ("get", "stock/movements", "stock:read"),
    ("post", "stock/movements", "stock:write"),
    ("post", "stock/counts", "stock:write"),
    ("get", "catalogue", "products:read"),
    ("post", "products", "products:write"),
    ("get", "customers", "customers:read"),
    ("get", "customers/1", "customers:read"),
    ("get", "jobs", "jobs:read"),
)


def ask(caller: Caller, method: str, path: str) -> Any:
    return caller.get(path) if method == "get" else caller.post(path, {})


@pytest.mark.parametrize(("method", "path", "scope"), KEYED)
def test_each_needs_a_key_with_its_scope(method: str, path: str, scope: str) -> None:
    others = Caller(key_of(scopes=[each for each in SCOPES if each != scope]))

    without = ask(Caller(""), method, path)
    lacking = ask(others, method, path)
    right = ask(Caller(key_of(scopes=[scope])), method, path)

    assert (without.status_code, without.json()["code"]) == (401, "key_needed")
    assert without["WWW-Authenticate"] == 'Bearer realm="api"'
    assert (lacking.status_code, lacking.json()["code"]) == (403, "scope_missing")
    assert lacking.json()["scope"] == scope
    assert f'scope="{scope}"' in lacking["WWW-Authenticate"]
    assert right.status_code not in (401, 403)


def test_the_document_names_the_same_scopes() -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]

    found = {
        (
            method,
            path.replace("{order}", "T1").replace("{customer_id}", "1"),
            *operation["security"][0]["ClientKey"],
        )
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "security" in operation
    }

    assert found == {(method, f"/api/v1/{path}", scope) for method, path, scope in KEYED}


@pytest.mark.parametrize("key", ["nonsense", "tdm_00000000_" + "0" * 38])
def test_a_wrong_key_is_refused_wherever_it_is_sent(key: str) -> None:
    for path in ("orders", "products", "nothing-here"):
        answer = Caller(key).get(path)

        assert (answer.status_code, answer.json()["code"]) == (401, "key_refused")
        assert 'error="invalid_token"' in answer["WWW-Authenticate"]
        assert answer["Content-Type"] == "application/problem+json"


def test_a_key_is_refused_from_the_moment_in_which_it_is_revoked_or_expires() -> None:
    caller = Caller(key_of())
    assert caller.get("orders").status_code == 200

    ApiKey.objects.update(revoked_at=timezone.now())
    assert caller.get("orders").status_code == 401
    ApiKey.objects.update(revoked_at=None, expires_at=timezone.now() - timedelta(seconds=1))
    assert caller.get("orders").status_code == 401
    ApiKey.objects.update(expires_at=None)
    assert caller.get("orders").status_code == 200
    ApiClient.objects.update(is_active=False)
    assert caller.get("orders").status_code == 401


def test_each_answer_with_a_key_says_what_is_left() -> None:
    add_product("MUG")
    api_client(requests_per_minute=10)
    caller = Caller(key_of(scopes=[ORDERS_READ]))

    answers = [
        caller.get("orders"),
        caller.get("products"),
        caller.get("products/MUG"),
        caller.get("nothing-here"),
        caller.get("stock"),
        caller.post("orders/T1/pack"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 403, 403]
    for number, answer in enumerate(answers, start=1):
        assert answer["RateLimit-Policy"] == '"client";q=10;w=60'
        assert re.fullmatch(rf'"client";r={10 - number};t=[1-9][0-9]?', answer["RateLimit"])


def test_the_request_beyond_the_limit_does_nothing_and_says_when_to_come_back() -> None:
    made = make_order()
    api_client(requests_per_minute=1)
    caller = Caller(key_of())
    caller.get("orders")

    answer = caller.post(f"orders/{made.pk}/cancel", {"reason": "x"})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.json()["limit"] == "client"
    assert answer["RateLimit"] == f'"client";r=0;t={answer["Retry-After"]}'
    made.refresh_from_db()
    assert made.status == "placed"


def test_two_keys_of_a_client_share_its_limit_and_another_client_has_its_own() -> None:
    api_client("A", requests_per_minute=1)
    assert Caller(key_of("A")).get("orders").status_code == 200
    assert Caller(key_of("A")).get("orders").status_code == 429
    assert Caller(key_of("B")).get("orders").status_code == 200


def test_without_a_key_nothing_is_counted_and_other_credentials_are_none_of_ours() -> None:
    add_product("MUG")

    for headers in ({}, {"authorization": "Basic YTpi"}, {"authorization": ""}):
        answer = Client(headers=headers).get("/api/v1/products")

        assert answer.status_code == 200
        assert "RateLimit" not in answer
    assert not ApiKey.objects.exists()


def test_the_liveness_page_reads_no_key(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client(headers={"authorization": f"Bearer {'x' * 54}"}).get("/healthz")

    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_an_order_may_be_placed_with_a_key(writers: None) -> None:
    add_product("MUG")

    answer = Caller(key_of(scopes=[STOCK_READ])).post("orders", order(("MUG", 1)))

    assert answer.status_code == 201
    assert "RateLimit" in answer


def test_a_lost_database_is_busy_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_text: str) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(client_access, "find_access", lost)
    monkeypatch.setattr(client_access, "dropped_if_lost", lambda _error, _connection: True)

    answer = Caller(key_of()).get("products")

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")

"""`POST holds`, `DELETE holds/<id>`, and orders that name a hold, as a client sees them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from orders.models import Hold, Stock
from project.limits.rates import HOLDS, Rate
from tests.factories import add_product, new_key
from tests.orders.api.bodies import Post, order

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

LINES = {"lines": [{"sku": "MUG", "quantity": 2}]}


@pytest.fixture(autouse=True)
def mug() -> None:
    add_product("MUG", stock=3)


def ask(body: Any = LINES, **headers: str) -> Any:
    client = Client(raise_request_exception=False, headers=headers)
    return client.post("/api/v1/holds", body, content_type="application/json")


def give_back(hold_id: object) -> Any:
    return Client().delete(f"/api/v1/holds/{hold_id}")


def available() -> int:
    return Stock.objects.get().available


def test_units_are_held_and_given_back() -> None:
    answer = ask()
    body = answer.json()
    until = parse_datetime(body["expires_at"])

    assert answer.status_code == 201
    assert set(body) == {"id", "expires_at"}
    assert until is not None
    assert timedelta(minutes=14) < until - timezone.now() < timedelta(minutes=16)
    assert available() == 1
    assert Client().get("/api/v1/products/MUG").json()["available"] == 1
    assert [give_back(body["id"]).status_code for _ in range(2)] == [204, 204]
    assert available() == 3


def test_an_order_names_its_hold(post: Post) -> None:
    held = ask({"lines": [{"sku": "MUG", "quantity": 3}]}).json()["id"]

    refused = post(order(("MUG", 3)))
    placed = post(order(("MUG", 3), hold=held))

    assert (refused.status_code, placed.status_code) == (409, 201)
    assert available() == 0
    answer = give_back(held)
    assert (answer.status_code, answer.json()["code"]) == (409, "hold_ordered")


def test_more_than_there_is_is_not_held() -> None:
    answer = ask({"lines": [{"sku": "MUG", "quantity": 4}]})

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    assert answer.json()["items"] == [{"sku": "MUG", "requested": 4, "available": 3}]


def test_a_repeat_is_the_same_hold_also_after_the_shops_key_was_rotated(settings: Any) -> None:
    key = {"Idempotency-Key": new_key()}
    first = ask(**key)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one, which is as long as it has to be for this shop"

    again = ask(**key)
    other = ask({"lines": [{"sku": "MUG", "quantity": 1}]}, **key)

    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert available() == 1


def test_a_repeat_by_key_is_the_same_hold_until_it_has_ended() -> None:
    key = {"Idempotency-Key": new_key()}
    first, repeat = ask(**key), ask(**key)
    give_back(first.json()["id"])
    late = ask(**key)

    assert (first.status_code, repeat.status_code, late.status_code) == (201, 200, 410)
    assert repeat.json() == first.json()
    assert repeat["Idempotent-Replayed"] == "true"
    assert late.json()["code"] == "hold_ended"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "lines"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "NOT-THERE", "quantity": 1}]}, "lines.0.sku"),
        ({"lines": LINES["lines"], "minutes": 60}, "minutes"),
    ],
)
def test_a_bad_body_names_its_field(body: Any, field: str) -> None:
    answer = ask(body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_unknown_hold(post: Post) -> None:
    assert give_back(uuid4()).status_code == 404
    answer = post(order(("MUG", 1), hold=str(uuid4())))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["hold"]


def test_too_many_holds_and_a_shop_without(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ORDER_LIMITS = {}
    monkeypatch.setattr("orders.holds.limit.HOLDS", Rate(1, HOLDS.seconds))
    ask({"lines": [{"sku": "MUG", "quantity": 1}]})
    refused = ask({"lines": [{"sku": "MUG", "quantity": 1}]})
    settings.HOLD_MINUTES = 0

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_holds")
    assert int(refused["Retry-After"]) > 0
    assert ask().status_code == 404
    assert Hold.objects.count() == 1

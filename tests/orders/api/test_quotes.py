"""`POST quotes`, and orders with a delivery, as a client sees them."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.lifecycle.payments import pay
from orders.models import Order, Product
from orders.quotes import basket
from orders.quotes.asking import forget_breakers
from orders.quotes.carrier import CarrierError
from orders.quotes.carriers.flat_rate import FlatRate
from orders.quotes.carriers.pickup import Pickup
from tests.factories import add_product, new_key
from tests.orders.api.bodies import Post, order
from tests.orders.quotes.fakes import FakeCarrier

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

BERLIN = {"line1": "Unter den Linden 1", "city": "Berlin", "postcode": "10117", "country": "DE"}
LINES = [{"sku": "MUG", "quantity": 2}]


@pytest.fixture(autouse=True)
def bad(monkeypatch: pytest.MonkeyPatch) -> FakeCarrier:
    forget_breakers()
    bad = FakeCarrier("bad", error=CarrierError("503"))
    own = FlatRate({"DE": Decimal("4.90")}, days=3)
    monkeypatch.setattr(basket, "used_carriers", lambda: [bad, own, Pickup()])
    add_product("MUG", price="10.00")
    return bad


def ask(body: Any, **headers: str) -> Any:
    client = Client(raise_request_exception=False, headers=headers)
    return client.post("/api/v1/quotes", body, content_type="application/json")


def test_quotes_and_what_is_missing() -> None:
    answer = ask({"address": BERLIN, "lines": LINES})
    chinese = ask({"lines": LINES}, **{"accept-language": "zh-hans"})

    assert answer.status_code == 200
    assert answer.json() == {
        "quotes": [
            {"carrier": "flat-rate", "service": "standard", "price": "4.90", "currency": "EUR",
             "days": 3},
            {"carrier": "pickup", "service": "shop", "price": "0.00", "currency": "EUR", "days": 0},
        ],
        "missing": [{"carrier": "bad", "reason": "It doesn't answer at the moment."}],
    }  # fmt: skip
    assert [quote["carrier"] for quote in chinese.json()["quotes"]] == ["pickup"]
    assert all(
        one["reason"] != "It needs to know the address." for one in chinese.json()["missing"]
    )


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "lines"),
        ({"lines": []}, 422, "lines"),
        ({"lines": LINES, "more": 1}, 422, "more"),
        ({"lines": [{"sku": "MUG", "quantity": True}]}, 422, "lines.0.quantity"),
        ({"lines": [*LINES, {"sku": "CUP", "quantity": 1}]}, 422, "lines.1.sku"),
        ({"lines": [{"sku": "MUG", "quantity": 999}, *LINES]}, 422, "lines.0.quantity"),
        ({"lines": LINES, "address": {}}, 422, "address.country"),
        ({"lines": LINES, "address": {"country": "XX"}}, 422, "address.country"),
        ({"lines": LINES, "address": {"country": "DE", "postcode": "\0"}}, 422, "address.postcode"),
        ({"lines": LINES, "address": None}, 422, "address"),
        ("{", 400, None),
    ],
)
def test_a_bad_question_is_a_problem(body: Any, status: int, field: str | None) -> None:
    answer = ask(body)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json().get("errors", [])][:1] == [field][
        : bool(field)
    ]


def test_an_order_with_a_delivery_is_answered_with_what_is_due(post: Post, settings: Any) -> None:
    settings.PAYMENT_PROVIDERS, settings.PAYMENT_ACCOUNT = ["test-bank"], None
    key, delivery = new_key(), {"carrier": "flat-rate", "service": "standard"}
    body = order(("MUG", 2), address=BERLIN, delivery=delivery, expected_total="24.90")

    placed = post(body, key=key)
    again = post(body, key=key)
    other = post(body | {"delivery": {**delivery, "service": "express"}}, key=key)
    pay(order_id=Order.objects.get().pk, method="cash", reference="1", amount=Decimal("4.90"))
    part_paid = Client().get(f"/api/v1/orders/{placed.json()['id']}").json()

    assert (placed.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert other.json()["code"] == "key_reused"
    for answer in (placed.json(), again.json(), part_paid):
        assert (answer["delivery_total"], answer["total"]) == ("4.90", "24.90")
        assert answer["delivery"] == {**delivery, "label": "Standard delivery", "days": 3}
    assert placed.json()["payment"] == again.json()["payment"]
    ways = {"method": "test-bank", "methods": ["test-bank"]}  # the only one: nobody has to choose
    assert placed.json()["payment"] == {"due": "24.90", "paid": "0.00", **ways}
    assert part_paid["payment"] == {"due": "20.00", "paid": "4.90", **ways}


def test_an_order_without_a_delivery_is_as_before(post: Post) -> None:
    answer = post(order(("MUG", 2), address=BERLIN, expected_total="20.00")).json()

    assert (answer["delivery_total"], answer["delivery"], answer["total"]) == (
        "0.00", None, "20.00",
    )  # fmt: skip


def test_a_pickup_keeps_no_address(post: Post) -> None:
    delivery = {"carrier": "pickup", "service": "shop"}

    answer = post(order(("MUG", 1), address=BERLIN, delivery=delivery))

    assert answer.status_code == 201
    assert Order.objects.get().address == {}


@pytest.mark.parametrize(
    ("changes", "status", "code", "more"),
    [
        ({"expected_total": "20.00"}, 409, "total_changed", {"total": "24.90"}),
        ({"delivery": {"carrier": "flat-rate", "service": "x"}}, 409, "delivery_changed", {}),
        (
            {"delivery": {"carrier": "bad", "service": "std"}},
            409,
            "delivery_changed",
            {"reason": "It doesn't answer at the moment."},
        ),
        ({"address": BERLIN | {"country": "FR"}}, 409, "delivery_changed", {}),
        ({"delivery": {"carrier": "post", "service": "x"}}, 422, "invalid", {}),
        ({"delivery": {"carrier": "flat-rate"}}, 422, "invalid", {}),
        ({"delivery": {"carrier": "flat-rate", "service": "x", "price": "0"}}, 422, "invalid", {}),
        ({"delivery": "flat-rate"}, 422, "invalid", {}),
    ],
)
def test_a_delivery_that_does_not_hold_is_refused(
    post: Post, changes: dict[str, Any], status: int, code: str, more: dict[str, str]
) -> None:
    delivery = {"carrier": "flat-rate", "service": "standard"}

    answer = post(order(("MUG", 2), **{"address": BERLIN, "delivery": delivery, **changes}))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json() | more == answer.json()
    assert not Order.objects.exists()
    assert Product.objects.get().stock.available == 100

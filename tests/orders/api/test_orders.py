"""Orders through the API, as they are placed, repeated, refused and read."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from orders.lifecycle.returns import accept
from orders.models import Order, Product, Stock
from project.jobs.queryset import Status
from project.limits.rates import UNLIMITED, Rate
from tests.factories import add_product, new_key
from tests.order_states import ask_return, delivered, receive_return
from tests.orders.api.bodies import Post, order

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def test_a_total_that_no_column_can_keep_is_refused(post: Post) -> None:
    skus = [f"GOLD-{number}" for number in range(12)]
    for sku in skus:
        add_product(sku, stock=10_000, price="99999999.99")

    refused = post(order(*((sku, 999) for sku in skus)))
    largest = post(order(*((sku, 999) for sku in skus[:10])))

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["lines"]
    assert largest.status_code == 201
    assert Order.objects.count() == 1


def test_an_order_is_placed_and_answered_with_its_jobs(post: Post) -> None:
    add_product("MUG", price="12.30")

    answer = post(order(("MUG", 2)))

    placed = Order.objects.get()
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"{settings.SITE_URL}/api/v1/orders/{placed.pk}"
    jobs = body.pop("jobs")
    assert body == {
        "id": str(placed.pk),
        "number": f"T{placed.number}",
        "status": "placed",
        "delivery_total": "0.00",
        "discount_total": "0.00",
        "voucher": "",
        "delivery": None,
        "total": "24.60",
        "taxes": [],
        "returns": [],
        "payment": {
            "due": "24.60",
            "paid": "0.00",
            "method": "",
            "methods": [*settings.PAYMENT_PROVIDERS, "transfer", "pickup"],
        },
        "currency": settings.SHOP_CURRENCY,
        "lines": [
            {
                "sku": "MUG",
                "name": "Thing MUG",
                "quantity": 2,
                "unit_price": "12.30",
                "total": "24.60",
            }
        ],
        "status_url": f"{settings.SITE_URL}/orders/{placed.pk}/",
    }
    assert {(job["app"], job["kind"], job["status"]) for job in jobs} == {
        ("notification", "order_placed.email", "queued"),
        ("media", "pickup_pass", "queued"),
    }
    assert placed.door == Order.Source.API


def test_an_order_may_say_how_it_is_paid_and_a_repeat_may_say_it_otherwise(post: Post) -> None:
    add_product("MUG", price="12.30")
    key = new_key()

    placed = post(order(("MUG", 2), payment={"method": "pickup"}), key=key)
    again = post(order(("MUG", 2), payment={"method": "transfer"}), key=key)
    refused = post(order(("MUG", 2), payment={"method": "barter"}))

    assert (placed.status_code, again.status_code, refused.status_code) == (201, 200, 422)
    assert placed.json()["payment"]["method"] == again.json()["payment"]["method"] == "pickup"
    assert [error["field"] for error in refused.json()["errors"]] == ["payment.method"]


def test_everything_that_may_be_said_is_kept(post: Post) -> None:
    add_product("MUG", price="12.30")
    address = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}

    answer = post(
        order(
            ("MUG", 1),
            name="  李小龍 ",
            phone="0431 901-0",
            language="zh-hans",
            address={**address, "line2": ""},
            expected_total="12.30",
        )
    )

    placed = Order.objects.get()
    assert answer.status_code == 201
    assert (placed.name, placed.phone, placed.language) == ("李小龍", "+494319010", "zh-hans")
    assert placed.address == address


def test_the_same_key_and_order_is_the_same_order(post: Post) -> None:
    add_product("MUG", stock=3)
    key = new_key()
    first = post(order(("MUG", 3)), key=key)

    # The lines merged, the defaults filled, what was expected left out: still this order.
    again = post(order(("MUG", 1), ("MUG", 2), language="en", expected_total="1.00"), key=key)

    assert first.status_code == 201
    assert again.status_code == 200
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Stock.objects.get().available == 0


def test_an_order_that_is_placed_but_cannot_be_read_is_not_called_busy(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("MUG")
    key = new_key()

    def fail(order_id: UUID) -> None:
        raise OperationalError("no connection left")

    assert post(order(("MUG", 1)), key=key).status_code == 201
    with monkeypatch.context() as patch:
        patch.setattr("orders.api.orders.jobs_of", fail)
        answer = post(order(("MUG", 1)), key=key)

    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert post(order(("MUG", 1)), key=key).status_code == 200


def test_another_order_under_the_same_key_is_refused_without_the_first_ones_id(
    post: Post,
) -> None:
    add_product("MUG")
    key = new_key()
    first = post(order(("MUG", 1)), key=key).json()

    other = post(order(("MUG", 2)), key=key)

    assert other.status_code == 409
    assert other.json()["code"] == "key_reused"
    assert first["id"] not in other.content.decode()


@pytest.mark.parametrize("repeated", ["ada@münchen.example", "ada@xn--mnchen-3ya.example"])
def test_a_repeat_of_an_order_whose_address_an_update_changed_finds_it(
    repeated: str, post: Post
) -> None:
    add_product("MUG")
    key = new_key()
    first = post(order(("MUG", 2), ("MUG", 1), email="ada@münchen.example"), key=key)
    # Its fingerprint is of another spelling: the update changed the address and not the SHA-256.
    Order.objects.update(fingerprint="0" * 64)

    again = post(order(("MUG", 3), email=repeated), key=key)
    other = post(order(("MUG", 3), email="bob@münchen.example"), key=key)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


def test_a_product_on_two_lines_is_one_line(post: Post) -> None:
    add_product("MUG", price="2.50")
    add_product("CUP", price="1.00")

    answer = post(order(("MUG", 1), ("CUP", 1), ("MUG", 2))).json()

    assert [(line["sku"], line["quantity"]) for line in answer["lines"]] == [
        ("MUG", 3),
        ("CUP", 1),
    ]
    assert answer["total"] == "8.50"


def test_out_of_stock_says_what_is_left_and_the_key_may_succeed_later(post: Post) -> None:
    product = add_product("MUG", stock=1)
    add_product("CUP")
    key = new_key()

    refused = post(order(("CUP", 1), ("MUG", 2)), key=key)
    Stock.objects.filter(product=product).update(available=2, initial=2)
    later = post(order(("CUP", 1), ("MUG", 2)), key=key)

    assert refused.status_code == 409
    assert refused.json()["code"] == "out_of_stock"
    assert refused.json()["items"] == [{"sku": "MUG", "requested": 2, "available": 1}]
    assert later.status_code == 201


def test_a_total_that_changed_is_told_and_nothing_is_taken(post: Post) -> None:
    add_product("MUG", price="12.30", stock=5)

    answer = post(order(("MUG", 2), expected_total="24.00"))

    assert answer.status_code == 409
    assert answer.json()["code"] == "total_changed"
    assert answer.json()["total"] == "24.60"
    assert Stock.objects.get().available == 5


def test_an_order_is_read_with_the_state_of_its_jobs(post: Post) -> None:
    add_product("MUG")
    order_id = UUID(post(order(("MUG", 1))).json()["id"])
    Notification.objects.filter(order_id=order_id).update(
        status=Status.FAILED, attempts=8, error="550 no such mailbox"
    )

    answer = Client().get(f"/api/v1/orders/{order_id}")

    assert answer.status_code == 200
    (message,) = (job for job in answer.json()["jobs"] if job["app"] == "notification")
    expected = {"status": "failed", "attempts": 8, "error": "failed"}
    assert expected.items() <= message.items()
    assert set(message) == {
        *("id", "app", "kind", "status", "attempts", "progress", "error", "finished_at"),
    }


@pytest.mark.parametrize("written", [str.upper, lambda text: text.replace("-", "")])
def test_an_id_is_read_in_capitals_and_without_dashes(
    post: Post, written: Callable[[str], str]
) -> None:
    add_product("MUG")
    order_id = post(order(("MUG", 1))).json()["id"]

    assert Client().get(f"/api/v1/orders/{written(order_id)}").json()["id"] == order_id
    assert Client().get(f"/orders/{written(order_id)}/").status_code == 200


def test_a_new_order_is_answered_as_it_is_read_without_reading_it(
    post: Post, django_assert_num_queries: Any
) -> None:
    products = [add_product(f"SKU-{number}", price="12.30") for number in range(20)]
    body = order(
        *((product.sku, 2) for product in products),
        phone="0431 901-0",
        language="zh-hans",
        payment={"method": "transfer"},
    )
    post(body)  # connects, and loads what is loaded once

    # The id under the key and the products' prices. (Tests count no orders against limits.)
    with django_assert_num_queries(1):
        placed = post(body)

    read = Client().get(placed["Location"].removeprefix(settings.SITE_URL))
    assert placed.status_code == 201
    assert placed.json() == read.json()


def test_reading_an_order_takes_few_queries(post: Post) -> None:
    skus = [add_product(f"SKU-{number}").sku for number in range(20)]
    url = post(order(*((sku, 1) for sku in skus)))["Location"]

    with CaptureQueriesContext(connection) as queries:
        answer = Client().get(url.removeprefix(settings.SITE_URL))

    assert len(answer.json()["lines"]) == 20
    assert len(queries) <= 4  # order, lines, jobs, money


def test_an_order_names_its_returns(settings: Any) -> None:
    settings.RETURN_DAYS = 14
    add_product("TEA", stock=10)
    sent = delivered(("TEA", 3))
    asked = ask_return(sent, {"TEA": 2})
    receive_return(accept(return_id=asked.pk, answer="by post"), {"TEA": 1})

    with CaptureQueriesContext(connection) as queries:
        answer = Client().get(f"/api/v1/orders/{sent.pk}").json()

    [made] = answer["returns"]
    assert (made["id"], made["status"]) == (str(asked.pk), "received")
    assert made["lines"] == [{"sku": "TEA", "quantity": 2, "received": 1}]
    assert len(queries) <= 5  # order, lines, jobs, money, returns


@pytest.mark.parametrize("order_id", ["0b5c7a52-6f1e-4c39-9d0a-0e5a6c1d2f3b", "1", "x"])
def test_an_order_that_is_not_there(order_id: str) -> None:
    answer = Client().get(f"/api/v1/orders/{order_id}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_an_inactive_product_can_not_be_ordered(post: Post) -> None:
    add_product("MUG")
    Product.objects.update(is_active=False)

    answer = post(order(("MUG", 1)))

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["lines.0.sku"]


def test_orders_of_one_ipv6_network_are_limited_together_and_repeats_are_not(
    post: Post, settings: Any
) -> None:
    add_product("MUG")
    rates = dict.fromkeys(("address", "email", "phone", "session", "all"), UNLIMITED)
    settings.ORDER_LIMITS = rates | {"address": Rate(1, 3600)}
    settings.TRUSTED_PROXY_COUNT = 1
    key = new_key()
    first, second = "2001:db8:1:2::1", "2001:db8:1:2:ffff::2"

    placed = post(order(("MUG", 1)), key=key, **{"x-forwarded-for": first})
    refused = post(order(("MUG", 1)), **{"x-forwarded-for": second})
    repeat = post(order(("MUG", 1)), key=key, **{"x-forwarded-for": second})

    assert (placed.status_code, refused.status_code, repeat.status_code) == (201, 429, 200)
    assert 3500 < int(refused["Retry-After"]) <= 3600

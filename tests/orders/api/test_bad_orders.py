"""A body that isn't an order is refused, with the field's name, and leaves no row behind."""

from typing import Any

import pytest
from django.conf import settings

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import Order, SalesEntry, StockMovement
from tests.factories import add_product
from tests.orders.api.bodies import Post, order

pytestmark = pytest.mark.django_db
REACHES_PLACEMENT = pytest.mark.django_db(transaction=True)
"""`place_order` refuses to run inside a test's transaction."""


@pytest.fixture(autouse=True)
def mug(db: None) -> None:
    add_product("MUG")


def nothing_is_there() -> bool:
    models = (Order, SalesEntry, StockMovement, Notification, MediaJob)
    return not any(model.objects.exists() for model in models)


ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t"}, "name"),
        ({"name": "x" * 1_000_000}, "name"),
        ({"name": "A\x00da"}, "name"),
        ({"name": "A\ud800da"}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": [[[["Ada"]]]]}, "name"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@@example.org"}, "email"),
        ({"email": "ada@example.org\r\nBcc: eve@example.org"}, "email"),
        ({"email": "ada@\ud800.org"}, "email"),
        ({"email": f"{'a' * 300}@example.org"}, "email"),
        ({"email": f"{'a' * 65}@example.org"}, "email"),
        ({"email": "ada@localhost"}, "email"),
        ({"email": "ada@[127.0.0.1]"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({"phone": None}, "phone"),
        ({"phone": 494319010}, "phone"),
        ({"language": "xx"}, "language"),
        ({"language": "\udfff"}, "language"),
        ({"address": {}}, "address.line1"),
        ({"address": []}, "address"),
        ({"address": {**ADDRESS, "country": "XX"}}, "address.country"),
        ({"address": {**ADDRESS, "country": "de"}}, "address.country"),
        ({"address": {**ADDRESS, "city": "x\x00"}}, "address.city"),
        ({"address": {**ADDRESS, "planet": "Earth"}}, "address.planet"),
        ({"lines": []}, "lines"),
        ({"lines": {}}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": 1}] * 101}, "lines"),
        ({"lines": ["MUG"]}, "lines.0"),
        ({"lines": [{"sku": "MUG"}]}, "lines.0.quantity"),
        ({"lines": [{"quantity": 1}]}, "lines.0.sku"),
        ({"lines": [{"sku": "MUG", "quantity": 1, "price": "0.01"}]}, "lines.0.price"),
        ({"price": "0.01"}, "price"),
        ({"total": "0.01"}, "total"),
        ({"status": "paid"}, "status"),
        ({"expected_total": 12.3}, "expected_total"),
        ({"expected_total": 12}, "expected_total"),
        ({"expected_total": "12.3"}, "expected_total"),
        ({"expected_total": "12.300"}, "expected_total"),
        ({"expected_total": "-12.30"}, "expected_total"),
        ({"expected_total": "NaN"}, "expected_total"),
        ({"expected_total": "1e2"}, "expected_total"),
        ({"expected_total": "١٢.٣٠"}, "expected_total"),
        ({"expected_total": "12.30\n"}, "expected_total"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str, post: Post) -> None:
    answer = post(order(("MUG", 1)) | change)

    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "invalid"
    assert field in [error["field"] for error in body["errors"]]
    assert len(answer.content) < 10_000
    assert nothing_is_there()


def test_an_amount_in_another_form_is_told_without_a_pattern(post: Post) -> None:
    answer = post(order(("MUG", 1)) | {"expected_total": "12.3"})

    [error] = answer.json()["errors"]
    assert error["message"] == "Use two decimal places, like 12.30."


@pytest.mark.parametrize("postcode", [{}, {"postcode": ""}, {"postcode": "  "}])
def test_a_missing_postcode_is_named(postcode: dict[str, str], post: Post) -> None:
    address = {name: text for name, text in ADDRESS.items() if name != "postcode"}

    answer = post(order(("MUG", 1), address={**address, **postcode}))

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["address.postcode"]


@pytest.mark.parametrize(
    "quantity",
    [
        *("-1", "0", "1000", "1e3", "1.0", "1.5", '"1"', "true", "null", "[1]", "{}", '"x"'),
        *("9" * 30, "9" * 5000, "1e400", "-0"),
    ],
)
def test_a_quantity_is_an_integer_from_1_to_999(quantity: str, post: Post) -> None:
    body = (
        '{"name": "Ada", "email": "ada@example.org",'
        f' "lines": [{{"sku": "MUG", "quantity": {quantity}}}]}}'
    )

    answer = post(body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["lines.0.quantity"]
    assert nothing_is_there()


@REACHES_PLACEMENT
@pytest.mark.parametrize("sku", ["", "NONE", "MUG\x00", "\ud800", "x" * 41, "x" * 10_000, 7])
def test_a_sku_that_is_not_there_is_named(sku: Any, post: Post) -> None:
    answer = post(order(("MUG", 1), (sku, 1)))

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["lines.1.sku"]
    assert nothing_is_there()


@REACHES_PLACEMENT
def test_more_than_999_of_one_product_on_two_lines_are_too_many(post: Post) -> None:
    add_product("CUP", stock=5000)

    answer = post(order(("CUP", 999), ("CUP", 1)))

    assert answer.status_code == 422
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["lines.0.quantity", "lines.1.quantity"]
    assert nothing_is_there()


def test_every_wrong_field_is_named_at_once(post: Post) -> None:
    wrong = order(("MUG", 0), name="", email="x", address={**ADDRESS, "country": "XX"})

    answer = post(wrong, key="short")

    assert {error["field"] for error in answer.json()["errors"]} == {
        *("name", "email", "address.country", "lines.0.quantity", "Idempotency-Key"),
    }


@pytest.mark.parametrize(
    "key", [None, " ", "fifteen-letters", "x" * 129, "with a space in it", "ключ-ключ-ключ-ключ"]
)
def test_without_a_good_key_nothing_is_placed(key: str | None, post: Post) -> None:
    answer = post(order(("MUG", 1)), key=key)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert nothing_is_there()


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "name=Ada",
        "{'name': 'Ada'}",
        '{"name": NaN}',
        '{"name": -Infinity}',
        '{"name": "Ada", "name": "Eve"}',
        '{"lines": [{"sku": "MUG", "quantity": 1, "quantity": 9}]}',
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        '{"name": "Ada"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_not_json_is_a_bad_request(body: str | bytes, post: Post) -> None:
    answer = post(body)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_request"
    assert nothing_is_there()


@pytest.mark.parametrize("body", ["", "[]", "null", '"text"', "7", '{"\\ud800": 1}'])
def test_json_that_is_no_order_is_invalid(body: str, post: Post) -> None:
    answer = post(body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_hundred_thousand_unknown_fields_get_a_short_answer(post: Post) -> None:
    answer = post({str(number): number for number in range(100_000)})

    assert answer.status_code == 422
    assert len(answer.content) < 10_000


def test_a_body_that_is_too_large_is_not_read(post: Post) -> None:
    answer = post(order(("MUG", 1), name="x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE))

    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(("count", "words"), [(0, "Give at least 1."), (101, "Give at most 100.")])
def test_too_few_and_too_many_lines_are_refused_in_words(
    count: int, words: str, post: Post
) -> None:
    answer = post(order(*[("MUG", 1)] * count))

    assert answer.json()["errors"] == [{"field": "lines", "message": words}]


def test_each_fault_is_told_in_the_readers_language(post: Post) -> None:
    wrong: list[dict[str, Any]] = [
        order(("MUG", 0), name=5, language="de", hold="x", expected_total=5),
        order(("MUG", 1000), address="Kiel", payment=[]),
        order(lines={}),
    ]

    answers = [post(body, **{"accept-language": "zh-hans"}) for body in wrong]

    told = [error["message"] for answer in answers for error in answer.json()["errors"]]
    assert len(told) == 9
    assert [message for message in told if message.isascii()] == []

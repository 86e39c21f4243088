"""Stock by an API client: levels, the ledger, receipts, corrections and counts."""

from typing import Any

import pytest

from orders.clients.scopes import STOCK_READ
from orders.models import ApiAnswer, Product, Stock, StockMovement
from tests.clients import Caller, key_of
from tests.factories import add_product, add_shirt, add_variant, make_order, new_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller() -> Caller:
    add_product("MUG", stock=10, low_stock=2)
    return Caller(key_of())


def count(**changes: Any) -> dict[str, Any]:
    return {"sku": "MUG", "counted": 8, "reason": "Shelf 12"} | changes


def receipt(**changes: Any) -> dict[str, Any]:
    return {"sku": "MUG", "kind": "receipt", "quantity": 5, "reason": "Note 1"} | changes


def test_levels_are_of_what_is_sold(caller: Caller) -> None:
    add_variant(add_shirt(), "M", "red", stock=1)

    items = caller.get("stock").json()["items"]

    assert [(item["sku"], item["available"], item["is_low"]) for item in items] == [
        ("MUG", 10, False),
        ("SHIRT-M-RED", 1, True),
    ]
    assert [item["sku"] for item in caller.get("stock", low="true").json()["items"]] == [
        "SHIRT-M-RED"
    ]
    assert caller.get("stock", sku="NONE").json()["items"] == []


def test_more_than_can_be_counted_is_told_at_the_field_that_says_it(caller: Caller) -> None:
    Stock.objects.update(available=2_147_483_000)
    StockMovement.objects.update(quantity=2_147_483_000)
    last = caller.get("stock").json()["items"][0]["last_movement"]

    answers = [
        caller.post("stock/counts", count(counted=1_000_000, on_hand=0, last_movement=last)),
        caller.post("stock/movements", receipt(quantity=1_000_000)),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    fields = [answer.json()["errors"][0]["field"] for answer in answers]
    assert fields == ["counted", "quantity"]


def test_a_receipt_adds_and_a_correction_takes(caller: Caller) -> None:
    first = caller.post("stock/movements", receipt())
    second = caller.post(
        "stock/movements", receipt(kind="correction", quantity=-3, reason="Broken")
    )

    assert [first.json()["available"], second.json()["available"]] == [15, 12]
    items = caller.get("stock/movements").json()["items"]
    assert [(item["kind"], item["quantity"], item["reason"]) for item in items] == [
        ("correction", -3, "Broken"),
        ("receipt", 5, "Note 1"),
    ]
    assert {row.user and row.user.username for row in StockMovement.objects.all()} == {
        "api:Warehouse"
    }


def test_the_ledger_is_read_page_by_page_and_by_kind(caller: Caller) -> None:
    for number in range(3):
        caller.post("stock/movements", receipt(quantity=number + 1))
    caller.post("stock/counts", count())

    first = caller.get("stock/movements", limit=2, kind="receipt")
    rest = caller.get("stock/movements", limit=2, kind="receipt", cursor=first.json()["next"])

    found = [item["quantity"] for item in first.json()["items"] + rest.json()["items"]]
    assert found == [3, 2, 1]
    assert rest.json()["next"] is None
    assert caller.get("stock/movements", sku="NONE").json()["items"] == []


def test_what_was_written_about_an_order_needs_the_scope_for_persons(caller: Caller) -> None:
    order = make_order(Product.objects.get())
    order.movements.create(
        product=Product.objects.get(), kind="cancel", quantity=1, reason="Ada asked for it"
    )
    reader = Caller(key_of(scopes=[STOCK_READ]))

    [told] = caller.get("stock/movements").json()["items"]
    [hidden] = reader.get("stock/movements").json()["items"]

    assert (told["reason"], hidden["reason"]) == ("Ada asked for it", "")
    assert told["order"] == hidden["order"] == order.display_number


def test_a_count_writes_the_difference(caller: Caller) -> None:
    answer = caller.post("stock/counts", count())

    assert (answer.json()["quantity"], answer.json()["on_hand"]) == (-2, 8)
    assert StockMovement.objects.get().kind == "count"


def test_a_count_of_what_is_there_writes_nothing(caller: Caller) -> None:
    answer = caller.post("stock/counts", count(counted=10))

    assert (answer.status_code, answer.json()["quantity"]) == (200, 0)
    assert not StockMovement.objects.exists()


def test_what_was_ordered_while_one_counted_stays_ordered(caller: Caller) -> None:
    [level] = caller.get("stock", sku="MUG").json()["items"]
    seen = {"on_hand": level["on_hand"], "last_movement": level["last_movement"]}
    Stock.objects.update(available=7)  # three were ordered, and still lie there

    answer = caller.post("stock/counts", count(counted=9, **seen))

    assert (answer.json()["quantity"], answer.json()["available"]) == (-1, 6)


def test_a_count_that_does_not_know_of_a_correction_is_refused(caller: Caller) -> None:
    [level] = caller.get("stock", sku="MUG").json()["items"]
    caller.post("stock/movements", receipt())

    answer = caller.post(
        "stock/counts",
        count(on_hand=level["on_hand"], last_movement=level["last_movement"]),
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "corrected_meanwhile")
    assert Stock.objects.get().available == 15


def test_a_count_after_a_movement_that_never_was_is_refused(caller: Caller) -> None:
    answer = caller.post("stock/counts", count(on_hand=10, last_movement=999_999))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "last_movement"
    assert Stock.objects.get().available == 10


def test_a_repeat_moves_once_also_when_its_answer_was_lost(caller: Caller) -> None:
    for path, body in (("stock/movements", receipt()), ("stock/counts", count(counted=11))):
        key = new_key()
        first = caller.post(path, body, key=key)
        second = caller.post(path, body, key=key)
        ApiAnswer.objects.filter(key=key).update(answer="")
        third = caller.post(path, body, key=key)

        assert first.content == second.content == third.content
        assert second["Idempotent-Replayed"] == "true"
    assert StockMovement.objects.count() == 2
    assert Stock.objects.get().available == 11


def test_a_key_of_another_movement_is_refused(caller: Caller) -> None:
    key = new_key()
    caller.post("stock/movements", receipt(), key=key)

    for path, body in (("stock/movements", receipt(quantity=6)), ("stock/counts", count())):
        answer = caller.post(path, body, key=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")


def test_stock_never_falls_below_zero(caller: Caller) -> None:
    answer = caller.post("stock/movements", receipt(kind="correction", quantity=-11))

    assert (answer.status_code, answer.json()["code"]) == (409, "stock_too_low")
    assert answer.json()["available"] == 10


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("movements", receipt(quantity=0), "quantity"),
        ("movements", receipt(quantity=-1), "quantity"),
        ("movements", receipt(quantity="5"), "quantity"),
        ("movements", receipt(kind="order"), "kind"),
        ("movements", receipt(reason=" "), "reason"),
        ("counts", count(counted=-1), "counted"),
        ("counts", count(on_hand=3), "on_hand"),
        ("counts", count(eaten=3), "eaten"),
    ],
)
def test_what_is_no_movement_is_invalid(
    caller: Caller, path: str, body: dict[str, Any], field: str
) -> None:
    answer = caller.post(f"stock/{path}", body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert not StockMovement.objects.exists()


def test_a_product_that_is_not_sold_has_no_stock_to_move(caller: Caller) -> None:
    add_shirt()

    for sku in ("SHIRT", "NONE"):
        answer = caller.post("stock/movements", receipt(sku=sku))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_receipt_that_would_take_units_says_what_to_send(caller: Caller) -> None:
    taken = caller.post("stock/movements", receipt(quantity=-5)).json()["errors"]
    nothing = caller.post("stock/movements", receipt(quantity=0)).json()["errors"]

    assert taken == [
        {"field": "quantity", "message": "A receipt adds units: to take some, send a correction."}
    ]
    assert "not zero" in nothing[0]["message"]

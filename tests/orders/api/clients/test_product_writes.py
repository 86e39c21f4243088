"""Products by an API client: all that are there, and bulk writes with a result for each item."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.contrib.admin.models import LogEntry

from orders.imports import rows_of_programs
from orders.imports.run import LOCK
from orders.models import Category, Product, Stock, TaxClass
from tests.clients import Caller, key_of
from tests.database import this_database
from tests.factories import add_product, add_shirt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller() -> Caller:
    return Caller(key_of())


def write(caller: Caller, *items: dict[str, Any]) -> list[dict[str, Any]]:
    answer = caller.post("products", {"items": list(items)}, key=None)
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


CUP = {"sku": "CUP", "name": "Cup", "category": "Kitchen", "price": "7.50", "stock": 20}


def test_a_product_is_created_with_its_category_and_stock(caller: Caller) -> None:
    [result] = write(caller, CUP | {"translations": {"zh-hans": {"name": "杯子"}}, "weight": 300})

    assert result == {"sku": "CUP", "outcome": "created", "detail": "", "errors": []} | {
        "detail": result["detail"]
    }
    cup = Product.objects.get(sku="CUP")
    assert (cup.category.name, cup.price, cup.weight) == ("Kitchen", Decimal("7.50"), 300)
    assert cup.texts == {"zh-hans": {"name": "杯子"}}
    assert Stock.objects.get().available == 20


def test_only_what_is_sent_is_changed(caller: Caller) -> None:
    add_product("MUG", price="2.50", shelf="A-1")

    [result] = write(caller, {"sku": "MUG", "price": "3.00", "is_active": False})

    mug = Product.objects.get()
    assert result["outcome"] == "changed"
    assert (mug.price, mug.is_active, mug.shelf, mug.name) == (
        Decimal("3.00"),
        False,
        "A-1",
        "Thing MUG",
    )


def test_an_empty_text_empties_what_may_be_empty_and_null_changes_nothing(caller: Caller) -> None:
    books = TaxClass.objects.create(name="Books")
    mug = add_product(
        "MUG",
        shelf="A-1",
        description="Stoneware.",
        tax_class=books,
        texts={"zh-hans": {"name": "马克杯", "description": "粗陶。"}},
    )
    empty: dict[str, Any] = {"sku": "MUG", "shelf": "", "description": " ", "tax_class": ""}
    empty["translations"] = {"zh-hans": {"name": "马克杯", "description": ""}}

    [nothing] = write(caller, {"sku": "MUG", "shelf": None, "description": None, "name": None})
    [emptied], [again] = write(caller, empty), write(caller, empty)

    assert [nothing["outcome"], emptied["outcome"], again["outcome"]] == [
        "unchanged",
        "changed",
        "unchanged",
    ]
    mug.refresh_from_db()
    assert (mug.shelf, mug.description, mug.tax_class) == ("", "", None)
    assert (mug.name, mug.texts) == ("Thing MUG", {"zh-hans": {"name": "马克杯"}})


def test_a_wrong_item_stops_no_other_and_is_told_by_its_fields(caller: Caller) -> None:
    results = write(
        caller,
        CUP,
        {"sku": "A", "name": "A", "price": "9,90"},
        {"sku": "B", "price": "1.00"},
        {"sku": "C", "name": "C", "category": "Kitchen", "price": "1", "tax_class": "Books"},
        {"sku": "D" * 41, "weight": -1},
        {"sku": "E", "variant_of": "NONE", "options": ["M"], "price": "1"},
    )

    assert [result["outcome"] for result in results] == ["created", *["refused"] * 5]
    assert [[error["field"] for error in result["errors"]] for result in results] == [
        [],
        ["price"],
        ["name", "category"],
        ["tax_class"],
        ["sku", "weight"],
        ["variant_of"],
    ]
    assert "9.90" in results[1]["errors"][0]["message"]
    assert list(Product.objects.values_list("sku", flat=True)) == ["CUP"]
    assert Category.objects.count() == 1


def test_the_results_are_in_the_order_of_the_items(caller: Caller) -> None:
    items = [CUP | {"sku": sku, "name": sku} for sku in ("Z", "A", "M")]

    assert [result["sku"] for result in write(caller, *items)] == ["Z", "A", "M"]


def test_a_variant_may_come_before_its_product(caller: Caller) -> None:
    results = write(
        caller,
        {"sku": "TEE-M", "variant_of": "TEE", "options": ["M"], "price": "9.00", "stock": 3},
        {"sku": "TEE", "name": "Tee", "category": "Things", "options": ["Size"]},
    )

    assert [result["outcome"] for result in results] == ["created", "created"]
    assert Product.objects.get(sku="TEE-M").variant_of == Product.objects.get(sku="TEE")


def test_a_repeat_changes_nothing(caller: Caller) -> None:
    write(caller, CUP)

    assert write(caller, CUP)[0]["outcome"] == "unchanged"
    assert LogEntry.objects.count() == 1


def test_a_sku_that_is_there_twice_is_refused_twice(caller: Caller) -> None:
    results = write(caller, CUP, CUP | {"price": "8.00"})

    assert [result["outcome"] for result in results] == ["refused", "refused"]
    assert {result["errors"][0]["field"] for result in results} == {"sku"}


def test_the_products_history_names_the_client(caller: Caller) -> None:
    add_product("MUG", price="2.50")
    write(caller, {"sku": "MUG", "price": "3.00"})

    entry = LogEntry.objects.get()
    assert entry.user.username == "api:Warehouse"
    assert entry.object_id == str(Product.objects.get().pk)
    assert "2.50 → 3.00" in entry.change_message.encode().decode("unicode_escape")


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ([CUP] * 101, "items"),
        ([CUP | {"price": 7.5}], "items.0.price"),
        ([CUP, CUP | {"prize": "1"}], "items.1.prize"),
        ([CUP | {"translations": {"xx": {"name": "x"}}}], "items.0.translations.xx"),
        ([CUP | {"is_active": "yes"}], "items.0.is_active"),
        ([CUP | {"options": ["Size", "Width|Height"]}], "items.0.options.1"),
    ],
)
def test_items_of_a_wrong_shape_refuse_the_whole_request(
    caller: Caller, items: list[Any], field: str
) -> None:
    answer = caller.post("products", {"items": items}, key=None)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert not Product.objects.exists()


def test_while_an_import_writes_the_catalogue_is_busy(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_programs, "LONGEST_WAIT", 0)
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [LOCK])

        answer = caller.post("products", {"items": [CUP]}, key=None)

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"] == "5"
    assert not Product.objects.exists()


def test_the_catalogue_has_what_is_not_on_sale(caller: Caller) -> None:
    add_product("MUG", active=False, tax_class=TaxClass.objects.create(name="Books"))
    shirt = add_shirt()

    items = caller.get("catalogue").json()["items"]

    assert [(item["sku"], item["is_active"]) for item in items] == [
        ("MUG", False),
        (shirt.sku, True),
    ]
    assert items[0]["tax_class"] == "Books"
    assert items[1]["options"] == ["Size", "Colour"]
    assert [item["sku"] for item in caller.get("catalogue", is_active="false").json()["items"]] == [
        "MUG"
    ]
    assert caller.get("catalogue", sku="SHIRT").json()["items"][0]["sku"] == "SHIRT"


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("field", ["name", "category", "price", "variant_of"])
def test_an_empty_text_is_refused_where_none_can_be(caller: Caller, field: str, empty: str) -> None:
    add_product("MUG")

    [result] = write(caller, {"sku": "MUG", field: empty})

    assert result["outcome"] == "refused"
    [error] = result["errors"]
    assert (error["field"], "can't be empty" in error["message"]) == (field, True)


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u200b", "\ufffd", "\x1b"])
@pytest.mark.parametrize("field", ["name", "category", "shelf", "sku"])
def test_a_character_that_turns_or_hides_text_is_refused(
    caller: Caller, field: str, mark: str
) -> None:
    [result] = write(caller, CUP | {field: f"a{mark}b"})

    assert result["outcome"] == "refused"
    assert [error["field"] for error in result["errors"]] == [field]
    assert not Product.objects.exists()


def test_marks_that_turn_text_are_refused_in_descriptions_and_translations(caller: Caller) -> None:
    turned = {"zh-hans": {"name": "a\u202eb"}}

    [first] = write(caller, CUP | {"description": "a\u202eb"})
    [second] = write(caller, CUP | {"translations": turned})
    [joined] = write(caller, CUP | {"description": "\u0645\u06cc\u200c\u062e"})

    outcomes = [each["outcome"] for each in (first, second, joined)]
    assert outcomes == ["refused", "refused", "created"]


def test_what_had_no_value_is_said_plainly(caller: Caller) -> None:
    add_product("MUG")

    [result] = write(caller, {"sku": "MUG", "weight": 10})

    assert result["detail"] == "weight: nothing → 10"


@pytest.mark.parametrize("sku", ["a/b", "a/b/", "50 %", "a?b#c", "Öl"])
def test_a_product_that_can_be_written_can_be_read(caller: Caller, sku: str) -> None:
    assert write(caller, CUP | {"sku": sku})[0]["outcome"] == "created"

    answer = caller.get(f"products/{quote(sku, safe='')}")

    assert (answer.status_code, answer.json().get("sku")) == (200, sku)

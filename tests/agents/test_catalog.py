"""The catalogue for agents."""

from typing import Any

import pytest

from tests.agents.agent import Agent
from tests.factories import add_product, add_shirt, add_variant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local")]


def ask(path: str, **body: Any) -> Any:
    return Agent().send("POST", f"/catalog/{path}", body)[1]


def ids(answer: Any) -> list[str]:
    return [product["id"] for product in answer["products"]]


def test_a_search_finds_words_prices_and_pages() -> None:
    for number in range(12):
        add_product(f"LANTERN-{number:02}", price=f"{number + 1}.00", stock=1)
    add_product("MUG", price="3.00")

    first = ask("search", query="lantern", pagination={"limit": 8})
    cursor = first["pagination"]["cursor"]
    second = ask("search", query="lantern", pagination={"limit": 8, "cursor": cursor})
    cheap = ask("search", query="lantern", filters={"price": {"max": 300}})

    assert len({*ids(first), *ids(second)}) == 12
    assert (first["pagination"]["has_next_page"], second["pagination"]["has_next_page"]) == (
        True,
        False,
    )
    assert len(ids(cheap)) == 3


def test_a_search_without_any_input_is_refused() -> None:
    assert Agent().send("POST", "/catalog/search", {})[0] == 400


def test_an_unknown_category_finds_nothing() -> None:
    add_product("MUG")

    assert ids(ask("search", filters={"categories": ["no-such"]})) == []
    assert ids(ask("search", filters={"categories": ["things"]})) == ["MUG"]


def test_a_lookup_tells_which_identifier_led_to_which_variant() -> None:
    shirt = add_shirt()
    add_variant(shirt, "S", "red")
    add_variant(shirt, "M", "red")

    answer = ask("lookup", ids=[shirt.sku, "SHIRT-M-RED", "SHIRT-M-RED", "NONE"])

    (product,) = answer["products"]
    inputs = {each["id"]: each["inputs"] for each in product["variants"]}
    assert inputs == {
        "SHIRT-S-RED": [{"id": shirt.sku, "match": "featured"}],
        "SHIRT-M-RED": [{"id": "SHIRT-M-RED", "match": "exact"}],
    }
    assert answer["messages"][0]["code"] == "not_found"


def test_too_many_identifiers_are_refused() -> None:
    status, problem = Agent().send("POST", "/catalog/lookup", {"ids": [str(n) for n in range(51)]})

    assert (status, problem["code"]) == (400, "request_too_large")


def test_a_product_with_options_says_what_is_there_beside_the_selection() -> None:
    shirt = add_shirt()
    add_variant(shirt, "S", "red", stock=1)
    add_variant(shirt, "M", "red", stock=0)
    add_variant(shirt, "M", "blue", stock=1)

    product = ask("product", id=shirt.sku, selected=[{"name": "Size", "label": "M"}])["product"]
    exact = ask("product", id="SHIRT-M-BLUE", selected=[{"name": "Size", "label": "S"}])["product"]
    relaxed = ask(
        "product",
        id=shirt.sku,
        selected=[{"name": "Size", "label": "S"}, {"name": "Colour", "label": "blue"}],
        preferences=["Colour", "Size"],
    )["product"]

    assert [each["id"] for each in product["variants"]] == ["SHIRT-M-RED", "SHIRT-M-BLUE"]
    colours = {each["label"]: each for each in product["options"][1]["values"]}
    assert (colours["red"]["exists"], colours["red"]["available"]) == (True, False)
    assert colours["blue"]["available"] is True
    assert exact["variants"][0]["id"] == "SHIRT-M-BLUE"
    assert {"name": "Size", "label": "M"} in exact["selected"]
    assert relaxed["selected"] == [{"name": "Colour", "label": "blue"}]

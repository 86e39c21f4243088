"""The content of packing slips and pick lists."""

from typing import Any

import pytest

from orders.models import OrderLine, Product
from orders.papers.slips import packing_slip, pick_list
from project.desk.context_words import LABELS
from tests.factories import add_product, make_order
from tests.project.desk.labelled import names_in

pytestmark = pytest.mark.django_db


def test_a_packing_slip_lacks_what_was_refunded() -> None:
    order = make_order(add_product("TEA"), add_product("MUG"))
    OrderLine.objects.filter(sku="TEA").update(refunded=2)
    OrderLine.objects.filter(sku="MUG").update(refunded=1)

    slip = packing_slip(order)

    assert [(line["sku"], line["quantity"]) for line in slip["lines"]] == [("MUG", 1)]
    assert slip["is_pickup"]


def test_a_packing_slip_s_address_is_in_the_order_s_language() -> None:
    address = {"line1": "世纪大道 100 号", "city": "上海", "postcode": "200120", "country": "CN"}
    order = make_order(address=address)
    order.language = "zh-hans"

    assert packing_slip(order)["recipient"][-1] == "中国"


def test_a_pick_list_sums_the_units_of_each_product_in_the_shelves_order() -> None:
    shelves = {"TEA": "A10", "MUG": "A2", "HAT": "", "BAG": "a2-1"}
    products = {sku: add_product(sku, shelf=shelf) for sku, shelf in shelves.items()}
    first = make_order(products["TEA"], products["MUG"])
    second = make_order(products["HAT"], products["TEA"], products["BAG"])

    content = pick_list([first, second], language="en")

    rows: list[Any] = [(line["sku"], line["quantity"]) for line in content["lines"]]
    assert rows == [("MUG", 2), ("BAG", 2), ("TEA", 4), ("HAT", 2)]
    tea = content["lines"][2]
    assert tea["orders"] == f"{first} × 2, {second} × 2"


@pytest.mark.parametrize("shelves", [["2", "A", "A1", "A1B", "A01C", "B", "10"]])
def test_any_shelves_can_be_ordered(shelves: list[str]) -> None:
    products = [add_product(f"P{index}", shelf=shelf) for index, shelf in enumerate(shelves)]

    lines = pick_list([make_order(*products)], language="en")["lines"]

    ordered = [line["shelf"] for line in lines]
    assert ordered == ["2", "10", "A", "A1", "A1B", "A01C", "B"]


def test_everything_that_a_slip_says_has_a_label_at_the_desk() -> None:
    order = make_order(add_product("TEA"))

    for content in (packing_slip(order), pick_list([order], language="en")):
        assert names_in(content) <= LABELS.keys()


def test_a_pick_list_names_products_as_they_are_called_now() -> None:
    order = make_order(add_product("TEA"))
    Product.objects.update(name="Green tea")

    assert pick_list([order], language="en")["lines"][0]["name"] == "Green tea"

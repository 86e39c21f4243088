"""Ordering variants: each from its own stock, under its full name; a parent isn't ordered."""

import pytest

from orders.holds.holding import hold
from orders.models import Product, ProductSales, Stock
from orders.placing.errors import InvalidOrder, OutOfStock
from orders.placing.placement import place_order
from orders.placing.request import RequestedLine
from tests.factories import add_shirt, add_variant, new_key, order_request

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture
def shirt() -> Product:
    shirt = add_shirt()
    add_variant(shirt, "M", "red", stock=3, texts={"zh-hans": {"options": ["M", "红色"]}})
    add_variant(shirt, "L", "red", stock=0)
    return shirt


def test_a_variant_is_taken_from_its_own_stock_and_counted_as_itself(shirt: Product) -> None:
    order = place_order(order_request(("SHIRT-M-RED", 2))).order

    line = order.lines.get()
    assert (line.sku, line.name, line.quantity) == ("SHIRT-M-RED", "Thing SHIRT, M, red", 2)
    left = dict(Stock.objects.values_list("product__sku", "available"))
    assert left == {"SHIRT": 0, "SHIRT-M-RED": 1, "SHIRT-L-RED": 0}
    sold = ProductSales.objects.get(product__sku="SHIRT-M-RED")
    assert sold.units == 2


def test_the_order_keeps_the_name_in_its_own_language(shirt: Product) -> None:
    order = place_order(order_request(("SHIRT-M-RED", 1), language="zh-hans")).order

    assert order.lines.get().name == "Thing SHIRT，M，红色"


def test_a_parent_is_refused_with_what_to_do(shirt: Product) -> None:
    Stock.objects.filter(product=shirt).update(initial=5, available=5)  # from before it had any

    with pytest.raises(InvalidOrder) as refused:
        place_order(order_request(("SHIRT-M-RED", 1), ("SHIRT", 1)))

    (error,) = refused.value.errors
    assert error.field == "lines.1.sku"
    assert "Choose one of them" in error.message
    assert Stock.objects.get(product__sku="SHIRT-M-RED").available == 3


def test_a_variant_is_held_and_its_parent_is_not(shirt: Product) -> None:
    with pytest.raises(InvalidOrder) as refused:
        hold([RequestedLine("SHIRT", 1)], key=new_key())
    assert "Choose one of them" in refused.value.errors[0].message

    hold([RequestedLine("SHIRT-M-RED", 2)], key=new_key())
    assert Stock.objects.get(product__sku="SHIRT-M-RED").available == 1


def test_one_sold_out_variant_refuses_the_order_another_one_does_not(shirt: Product) -> None:
    with pytest.raises(OutOfStock) as refused:
        place_order(order_request(("SHIRT-L-RED", 1)))

    assert refused.value.items[0].name == "Thing SHIRT, L, red"


def test_a_variant_is_on_sale_while_its_parent_is(shirt: Product) -> None:
    Product.objects.filter(pk=shirt.pk).update(is_active=False)

    with pytest.raises(InvalidOrder) as refused:
        place_order(order_request(("SHIRT-M-RED", 1)))

    assert "no such product" in refused.value.errors[0].message

"""Orders that an operator makes: prices by hand, and repeats of such orders."""

from dataclasses import replace
from decimal import Decimal

import pytest

from orders.models import Order, Product, User
from orders.placing.by_operator import ByOperator, HandPrice
from orders.placing.errors import InvalidOrder, KeyReused
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest
from tests.factories import add_product, order_request

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def desk_request(price: str, reason: str = "A scratch") -> OrderRequest:
    add_product("TEA")
    add_product("CUP")
    operator = User.objects.create_user("clara")
    by_hand = {"TEA": HandPrice(Decimal(price), reason)}
    return order_request(
        ("TEA", 2),
        ("CUP", 1),
        source=Order.Source.DESK,
        operator=ByOperator(operator.pk, by_hand),
    )


@pytest.mark.parametrize("is_of_another_version", [False, True])
def test_a_repeat_has_the_same_prices_by_hand(is_of_another_version: bool) -> None:
    """By the fingerprint, and by the rows where an update understands the same text otherwise."""
    request = desk_request("1.50")
    order = place_order(request).order
    if is_of_another_version:
        Order.objects.update(fingerprint="0" * 64)
    Product.objects.update(price=9)
    other = replace(request, operator=ByOperator(None, {"TEA": HandPrice(Decimal(1), "x")}))

    again = place_order(request)

    assert (again.order, again.replayed, again.order.total) == (order, True, Decimal("5.50"))
    for another in (other, replace(request, operator=None)):
        with pytest.raises(KeyReused):
            place_order(another)


def test_the_account_that_a_customer_confirms_between_two_attempts_makes_no_second_order() -> None:
    request = desk_request("1.50")
    place_order(request)

    again = place_order(replace(request, user_id=User.objects.create_user("grace").pk))

    assert again.replayed


def test_a_price_by_hand_that_can_not_be_kept_is_refused_by_the_placement_itself() -> None:
    request = desk_request("1.50")
    bad = [
        HandPrice(Decimal(price), reason)
        for price, reason in [("-1", "x"), ("NaN", "x"), ("1e8", "x"), ("0.001", "x"), ("1", " ")]
    ]

    for by_hand in bad:
        operator = ByOperator(None, {"TEA": by_hand})
        with pytest.raises(InvalidOrder) as refusal:
            place_order(replace(request, operator=operator))
        assert [error.field for error in refusal.value.errors] == ["lines.0.price"]
    assert not Order.objects.exists()

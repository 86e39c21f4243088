"""The order's page: its timeline, and cancelling the order there."""

import pytest
from django.test import Client

from orders.models import Order, OrderEvent
from orders.placing.writers import drain
from tests.factories import add_product
from tests.order_states import cancelled, packed, paid, placed, refund_order, refunded, shipped
from tests.orders.shop.pages import text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def test_a_shopper_cancels_an_order_by_its_page(client: Client) -> None:
    add_product("MUG", stock=10)
    order = placed(("MUG", 2))
    assert "Yes, cancel it" in text_of(client.get(f"/orders/{order.pk}/"))

    page = client.post(f"/orders/{order.pk}/cancel/", follow=True)

    assert page.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    text = text_of(page)
    assert "Your order is cancelled." in text
    assert f"Your order {order} is cancelled." in text
    assert "Cancelled on the order&#x27;s page" in text
    assert "Yes, cancel it" not in text
    assert OrderEvent.objects.get(kind="cancelled").detail["by_shopper"] is True


def test_a_double_click_cancels_once_and_says_so(client: Client) -> None:
    add_product("MUG")
    order = placed(("MUG", 2))
    client.post(f"/orders/{order.pk}/cancel/")

    page = client.post(f"/orders/{order.pk}/cancel/", follow=True)

    assert "Your order is cancelled." in text_of(page)
    assert OrderEvent.objects.filter(kind="cancelled").count() == 1


def test_what_is_packed_is_not_cancelled_by_its_shopper(client: Client) -> None:
    add_product("MUG")
    order = packed(("MUG", 2))
    assert "cancel it" not in text_of(client.get(f"/orders/{order.pk}/"))

    page = client.post(f"/orders/{order.pk}/cancel/", follow=True)

    assert f"Order {order} is packed: it can&#x27;t be cancelled." in text_of(page)
    assert Order.objects.get().status == "packed"


def test_cancelling_takes_a_post_with_its_csrf_token() -> None:
    add_product("MUG")
    order = placed(("MUG", 2))
    strict = Client(enforce_csrf_checks=True)

    assert strict.get(f"/orders/{order.pk}/cancel/").status_code == 405
    assert strict.post(f"/orders/{order.pk}/cancel/").status_code == 403
    assert Order.objects.get().status == "placed"


def test_an_order_that_does_not_exist_cannot_be_cancelled(client: Client) -> None:
    nowhere = "/orders/00000000-0000-4000-8000-000000000000/cancel/"

    assert client.post(nowhere).status_code == 404


def test_the_page_says_where_the_order_is(client: Client) -> None:
    add_product("MUG")
    home = {"line1": "Am Kai 1", "postcode": "24103", "city": "Kiel", "country": "DE"}
    for order, said in (
        (placed(("MUG", 1)), "is placed, and its items are set aside for you."),
        (paid(("MUG", 1)), "is paid, and will be packed soon."),
        (packed(("MUG", 1), address={}), "is ready to be picked up."),
        (packed(("MUG", 1), address=home), "is packed."),
        (shipped(("MUG", 1)), "is on its way."),
        (cancelled(("MUG", 1)), "is cancelled."),
        (refunded(("MUG", 1)), "is refunded."),
    ):
        text = text_of(client.get(f"/orders/{order.pk}/"))
        assert f"Your order {order} {said}" in text
        assert ("Thank you" in text) == (order.status not in ("cancelled", "refunded"))


def test_the_timeline_tells_amounts_parcels_and_reasons(client: Client) -> None:
    add_product("MUG", price="9.90")
    order = shipped(("MUG", 2))
    refund_order(order.pk, {"MUG": 1})
    called_off = cancelled(("MUG", 1))

    text = text_of(client.get(f"/orders/{order.pk}/"))

    for step in ("Paid €19.80", "Shipped DHL · JD01", "Refunded in part €9.90: 1 × Thing MUG"):
        assert step in text
    assert "Cancelled broken in store" in text_of(client.get(f"/orders/{called_off.pk}/"))


def test_the_total_is_followed_by_what_was_given_back(client: Client) -> None:
    add_product("MUG", price="9.90")
    order = paid(("MUG", 2))
    before = text_of(client.get(f"/orders/{order.pk}/"))
    refund_order(order.pk, {"MUG": 1})
    partly = text_of(client.get(f"/orders/{order.pk}/"))
    refund_order(order.pk)

    assert "Refund" not in before
    assert "Total €19.80 Refund €9.90" in partly
    assert "Total €19.80 Refund €19.80" in text_of(client.get(f"/orders/{order.pk}/"))


def test_stock_is_for_sale_again(client: Client) -> None:
    add_product("MUG", stock=2)
    order = placed(("MUG", 2))

    client.post(f"/orders/{order.pk}/cancel/")

    assert drain(timeout=20)
    assert placed(("MUG", 2)).status == "placed"

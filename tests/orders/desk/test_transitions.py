"""The steps of an order's life at the desk, through the order list as an operator uses it."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orders.models import Order, Refund, Stock, User
from tests.factories import add_product
from tests.order_states import packed, paid, placed, shipped
from tests.orders.shop.pages import text_of
from tests.pages import read_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def act(desk: Client, action: str, *orders: Order, **fields: Any) -> Any:
    """Choose orders in the list and start an action; with fields, send its form."""
    chosen = {"action": action, ACTION_CHECKBOX_NAME: [str(order.pk) for order in orders]}
    url = reverse("admin:orders_order_changelist")
    answer = desk.post(url, chosen, follow=True)
    if not fields:
        return answer
    return read_page(desk, url, answer.content.decode()).send_and_follow(take="1", **fields)


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_orders_are_packed_from_the_list(desk: Client) -> None:
    add_product("TEA")
    ready, unpaid = paid(), placed()

    page = text_of(act(desk, "mark_packed", ready, unpaid))

    assert (status(ready), status(unpaid)) == ("packed", "placed")
    assert "Done for 1 order." in page
    assert f"Order {unpaid} is placed: it can&#x27;t be packed." in page


def test_an_order_is_delivered_from_the_list(desk: Client) -> None:
    add_product("TEA")
    order = shipped()

    act(desk, "mark_delivered", order)

    assert status(order) == "delivered"
    assert order.events.get(kind="delivered").user == User.objects.get()


def test_a_payment_is_taken_by_a_form_that_knows_what_is_due(desk: Client) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))
    assert 'value="10.00"' in act(desk, "take_payment", order).content.decode()

    act(desk, "take_payment", order, method="cash", reference="B-7", amount="10.00")

    assert status(order) == "paid"
    assert order.payments.get().amount == Decimal("10.00")


def test_a_refused_payment_is_told_beside_what_was_typed(desk: Client) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))

    page = act(desk, "take_payment", order, method="cash", reference="B-7", amount="11")

    assert f"Order {order} has €10.00 left to pay" in text_of(page)
    assert 'value="B-7"' in page.content.decode()
    assert status(order) == "placed"


def test_a_parcel_is_shipped_by_a_form(desk: Client) -> None:
    add_product("TEA")
    order = packed()

    act(desk, "ship_order", order, carrier="DHL", tracking_number="JD01")

    assert order.events.get(kind="shipped").detail == {"carrier": "DHL", "tracking_number": "JD01"}


def test_several_orders_are_cancelled_with_one_reason(desk: Client) -> None:
    add_product("TEA", stock=10)
    orders = [placed(("TEA", 2)), paid(("TEA", 2)), shipped(("TEA", 2))]

    page = text_of(act(desk, "cancel_orders", *orders, reason="broken in store"))

    assert [status(order) for order in orders] == ["cancelled", "cancelled", "shipped"]
    assert "Done for 2 orders." in page
    assert f"Order {orders[2]} is shipped: it can&#x27;t be cancelled." in page
    assert Stock.objects.get().available == 8


def test_some_units_are_refunded_and_a_repeat_is_no_second_refund(desk: Client) -> None:
    add_product("TEA", stock=10, price="5.00")
    order = paid(("TEA", 3))
    page = act(desk, "refund_order", order).content.decode()
    refund_id = page.partition('name="refund_id" value="')[2].partition('"')[0]
    line = f"line-{order.lines.get().pk}"
    said = {"refund_id": refund_id, "restock": "on", "reason": "chipped", line: "2"}

    act(desk, "refund_order", order, **said)
    act(desk, "refund_order", order, **said)

    assert Refund.objects.get().amount == Decimal("10.00")
    assert Stock.objects.get().available == 9


def test_a_form_is_for_one_order(desk: Client) -> None:
    add_product("TEA")

    page = text_of(act(desk, "take_payment", placed(), placed()))

    assert "Choose one order" in page


def test_who_may_only_look_can_not_act(client: Client) -> None:
    add_product("TEA")
    order = paid()
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(looker)

    act(client, "mark_packed", order)

    assert status(order) == "paid"
    assert admin.site.is_registered(Order)

"""The checkout's voucher: typed, shown with what it takes off, and refused in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order, Voucher
from tests.factories import add_product
from tests.orders.shop.pages import SHOPPER, add, hidden_fields, send, text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def checkout(client: Client) -> Any:
    add_product("MUG", stock=10, price="10.00")
    add(client, "MUG", 2)
    return client.get("/checkout/")


def apply(client: Client, page: Any, code: str) -> Any:
    """Press the button beside the code."""
    typed = {**hidden_fields(page), **SHOPPER, "voucher": code, "change": "voucher"}
    return client.post("/checkout/", typed, follow=True)


def test_an_applied_code_is_shown_and_the_order_costs_what_was_shown(
    client: Client, checkout: Any
) -> None:
    Voucher.objects.create(code="TEN", kind="percent", value=10)

    shown = apply(client, checkout, " ten ")
    words = text_of(shown)
    answer = send(client, shown, voucher="ten")

    assert "Voucher TEN −€2.00" in words
    assert "Place order · €18.00" in words
    assert answer.status_code == 302
    order = Order.objects.get()
    assert (order.total, order.voucher_code) == (Decimal("18.00"), "TEN")
    assert "Voucher TEN −€2.00" in text_of(client.get(f"/orders/{order.pk}/"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "There is no voucher with this code."),
        ({"ends_at": timezone.now()}, "The voucher TEN isn’t valid any more."),
        ({"starts_at": timezone.now() + timedelta(days=1)}, "The voucher TEN isn’t valid yet."),
        ({"minimum": Decimal("50.00")}, "The voucher TEN needs products for at least €50.00."),
        ({"limit": 1, "used": 1}, "The voucher TEN has been used up."),
    ],
)
def test_a_code_that_takes_off_nothing_says_why(
    client: Client, checkout: Any, fields: dict[str, Any], words: str
) -> None:
    if fields:
        Voucher.objects.create(code="TEN", kind="percent", value=10, **fields)

    shown = apply(client, checkout, "TEN")

    assert words in text_of(shown)
    assert "Place order · €20.00" in text_of(shown)
    assert 'aria-invalid="true"' in shown.content.decode()


def test_the_answer_leads_to_what_was_changed(client: Client, checkout: Any) -> None:
    Voucher.objects.create(code="TEN", kind="percent", value=10)

    shown = apply(client, checkout, "TEN")

    [(address, _status)] = shown.redirect_chain
    assert address.endswith("#id_voucher")
    assert 'aria-describedby="voucher-discount"' in shown.content.decode()
    assert 'id="voucher-discount"' in shown.content.decode()


def test_a_code_that_ends_before_the_order_is_told_and_nothing_is_lost(
    client: Client, checkout: Any
) -> None:
    Voucher.objects.create(code="TEN", kind="percent", value=10)
    shown = apply(client, checkout, "TEN")
    Voucher.objects.update(is_active=False)

    refused = send(client, shown, voucher="TEN")

    assert "Nothing was ordered. The voucher TEN isn’t valid any more." in text_of(refused)
    assert SHOPPER["email"] in refused.content.decode()
    answer = send(client, refused, voucher="")
    assert answer.status_code == 302
    assert Order.objects.get().total == Decimal("20.00")


def test_a_code_that_was_typed_and_not_applied_changes_the_total_first(
    client: Client, checkout: Any
) -> None:
    Voucher.objects.create(code="TEN", kind="percent", value=10)

    answer = send(client, checkout, voucher="TEN")

    assert "The total has changed. It is €18.00 now." in text_of(answer)
    assert not Order.objects.exists()

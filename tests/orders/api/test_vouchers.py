"""Orders with a voucher, as a client of the API sees them."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Voucher
from tests.factories import add_product
from tests.orders.api.bodies import Post, order

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def test_an_order_with_a_voucher_says_what_it_took_off(post: Post, settings: Any) -> None:
    settings.TAX_RATE = Decimal(25)
    add_product("PEN", price="10.00")
    Voucher.objects.create(code="TEN", kind="percent", value=10)

    answer = post(order(("PEN", 2), voucher="ten")).json()

    assert (answer["discount_total"], answer["voucher"], answer["total"]) == (
        "2.00",
        "TEN",
        "18.00",
    )
    assert answer["taxes"] == [{"rate": "25", "net": "14.40", "tax": "3.60"}]
    assert Client().get(f"/api/v1/orders/{answer['id']}").json()["discount_total"] == "2.00"


def test_a_voucher_that_cannot_be_used_is_refused_with_its_reason(post: Post) -> None:
    add_product("PEN", price="10.00")
    Voucher.objects.create(code="TEN", kind="percent", value=10, minimum=Decimal("50.00"))

    refused = post(order(("PEN", 2), voucher="TEN"))
    unknown = post(order(("PEN", 2), voucher="NINE"))

    body = refused.json()
    assert refused.status_code == 409
    assert (body["code"], body["reason"], body["minimum"]) == (
        "voucher_refused",
        "minimum",
        "50.00",
    )
    assert unknown.status_code == 422
    assert [error["field"] for error in unknown.json()["errors"]] == ["voucher"]

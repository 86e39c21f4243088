"""Money that goes back: owed from its cause on, told to the staff, paid out once."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle.errors import DoneDifferently, InvalidTransition
from orders.lifecycle.payments import undo_payment
from orders.lifecycle.payouts import UnknownRefund, pay_out
from orders.lifecycle.transitions import cancel
from orders.models import Payment, Refund, User
from tests.factories import add_product
from tests.order_states import paid, placed, refund_order

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def tea(settings: Any) -> None:
    settings.STAFF_EMAILS = ["desk@shop.example"]
    add_product("TEA", stock=100, price="5.00")


def owed() -> Refund:
    """Let a shopper cancel a paid order."""
    cancel(order_id=paid().pk, by_shopper=True)
    return Refund.objects.get()


def test_a_shopper_s_cancel_of_a_paid_order_is_owed_and_told_to_the_staff() -> None:
    refund = owed()

    assert refund.status == Refund.Status.OWED
    message = Notification.objects.get(event="refund_owed")
    assert message.recipient == "desk@shop.example"
    text = render(message).text
    assert "Ada Lovelace gets back €10.00" in text
    assert f"/admin/orders/order/{refund.order_id}/" in text


def test_the_cancel_of_an_unpaid_order_owes_nothing() -> None:
    cancel(order_id=placed().pk, by_shopper=True)

    assert not Refund.objects.exists()
    assert not Notification.objects.filter(event="refund_owed").exists()


def test_a_refund_of_lines_is_owed_until_it_is_paid_out() -> None:
    refund_order(paid().pk, {"TEA": 1})
    clerk = User.objects.create(email="clerk@shop.example")

    refund = pay_out(refund_id=Refund.objects.get().pk, reference="SEPA 1", user=clerk)

    assert (refund.status, refund.payout_reference) == ("paid_out", "SEPA 1")
    assert refund.paid_out_by == clerk
    assert refund.paid_out_at is not None
    event = refund.order.events.last()
    assert event is not None
    assert (event.kind, event.detail["reference"]) == ("paid_out", "SEPA 1")


def test_a_refund_is_paid_out_once() -> None:
    refund = owed()

    for _again in range(2):
        pay_out(refund_id=refund.pk, reference="SEPA 1")

    assert refund.order.events.filter(kind="paid_out").count() == 1
    with pytest.raises(DoneDifferently, match="was paid out already, as SEPA 1"):
        pay_out(refund_id=refund.pk, reference="SEPA 2")


def test_what_is_not_owed_any_more_is_not_paid_out() -> None:
    refund = owed()
    undo_payment(payment_id=Payment.objects.get().pk, reason="Another customer's")

    with pytest.raises(InvalidTransition, match="isn't owed any more"):
        pay_out(refund_id=refund.pk, reference="SEPA 1")


def test_an_unknown_refund_is_named() -> None:
    with pytest.raises(UnknownRefund):
        pay_out(refund_id=uuid4(), reference="SEPA 1")


def test_the_database_refuses_a_pay_out_without_its_time() -> None:
    refund = owed()

    with pytest.raises(IntegrityError, match="paid_out_at_a_time"), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(status="paid_out")

"""Money that comes in: undone payments, and what providers take."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from notifications.models import Notification
from orders.lifecycle.errors import DoneDifferently, InvalidTransition, WrongStatus
from orders.lifecycle.payments import UnknownPayment, capture, pay, undo_payment
from orders.lifecycle.payouts import due_of
from orders.lifecycle.transitions import cancel, expire
from orders.models import Order, OrderEvent, Payment, Refund
from orders.placing.writers import drain
from project.monitoring.audit import run_audit
from tests.factories import add_product
from tests.order_states import aged, cancelled, packed, paid, pay_part, placed, refund_order

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def tea() -> None:
    add_product("TEA", stock=100, price="5.00")


def only_payment(order: Order) -> Payment:
    return Payment.objects.get(order=order, undoes=None)


def balance(order: Order) -> Decimal | None:
    return order.payments.aggregate(sum=Sum("amount"))["sum"]


def test_an_undone_payment_leaves_the_order_unpaid_with_both_entries() -> None:
    order = paid()

    order = undo_payment(payment_id=only_payment(order).pk, reason="Typed twice")

    assert order.status == Order.Status.PLACED
    assert balance(order) == 0
    assert [str(p.amount) for p in order.payments.all()] == ["10.00", "-10.00"]
    event = order.events.last()
    assert event is not None
    assert (event.kind, event.detail["reason"]) == ("payment_undone", "Typed twice")


def test_an_undone_payment_can_be_paid_again_and_the_customer_hears_of_both() -> None:
    order = paid()
    undo_payment(payment_id=only_payment(order).pk, reason="Wrong order")

    order = pay(order_id=order.pk, method="card", reference="R-9", amount=order.total)

    assert order.status == Order.Status.PAID
    assert Notification.objects.filter(event="order_paid", channel="email").count() == 2


def test_undoing_twice_enters_one_counter_entry() -> None:
    payment = only_payment(paid())

    undo_payment(payment_id=payment.pk, reason="Mistyped")
    undo_payment(payment_id=payment.pk, reason="Mistyped")

    assert Payment.objects.filter(undoes=payment).count() == 1


def test_a_reference_in_another_writing_is_the_same_payment() -> None:
    order = placed()

    for reference in ("RF-1", "ＲＦ-1", "RF-\u200b1"):
        pay(order_id=order.pk, method="transfer", reference=reference, amount=Decimal("5.00"))

    assert only_payment(order).reference == "RF-1"


def test_the_reference_of_an_undone_payment_is_told_to_be_used_up() -> None:
    order = paid()
    undo_payment(payment_id=only_payment(order).pk, reason="Mistyped")

    with pytest.raises(DoneDifferently, match="was undone"):
        pay(order_id=order.pk, method="transfer", reference="R-1", amount=order.total)


def test_an_order_with_an_undone_payment_never_expires() -> None:
    order = paid()
    undo_payment(payment_id=only_payment(order).pk, reason="Mistyped")
    aged(order)

    with pytest.raises(InvalidTransition):
        expire(order_id=order.pk, hours=1)


def test_a_packed_order_stays_packed_and_owes_its_total() -> None:
    order = packed()

    order = undo_payment(payment_id=only_payment(order).pk, reason="The transfer came back")

    assert order.status == Order.Status.PACKED
    assert due_of(order) == order.total
    assert drain(timeout=20)
    assert run_audit().is_clean


def test_a_packed_order_whose_payment_was_undone_can_be_paid_again() -> None:
    order = packed()
    undo_payment(payment_id=only_payment(order).pk, reason="The transfer came back")

    order = pay(order_id=order.pk, method="cash", reference="R-9", amount=order.total)

    assert order.status == Order.Status.PACKED
    assert due_of(order) == 0
    with pytest.raises(WrongStatus):
        pay(order_id=order.pk, method="cash", reference="R-10", amount=order.total)


def test_a_payment_that_a_refund_needs_is_not_undone() -> None:
    order = paid()
    refund_order(order.pk, {"TEA": 1})

    with pytest.raises(InvalidTransition, match="a refund of this order needs it"):
        undo_payment(payment_id=only_payment(order).pk, reason="Mistyped")

    assert balance(order) == Decimal("10.00")


def test_after_a_cancellation_only_the_real_payments_stay_owed() -> None:
    order = pay_part(placed())
    pay(order_id=order.pk, method="cash", reference="B", amount=Decimal("2.00"))
    cancel(order_id=order.pk, reason="Broken")
    mistyped = Payment.objects.get(reference="B")

    undo_payment(payment_id=mistyped.pk, reason="Another customer's")

    states = Refund.objects.order_by("-amount").values_list("amount", "status")
    assert list(states) == [(Decimal("3.00"), "not_owed"), (Decimal("1.00"), "owed")]


def test_a_counter_entry_and_a_provider_s_payment_cannot_be_undone() -> None:
    order = placed()
    capture(order_id=order.pk, provider="bank", reference="x1", amount=order.total)

    with pytest.raises(InvalidTransition, match="entered by hand"):
        undo_payment(payment_id=only_payment(order).pk, reason="Mistyped")
    with pytest.raises(UnknownPayment):
        undo_payment(payment_id=0, reason="Mistyped")


def test_the_database_refuses_a_negative_payment_that_undoes_none() -> None:
    order = placed()

    with pytest.raises(IntegrityError, match="negative_if_it_undoes"), transaction.atomic():
        Payment.objects.create(order=order, method="cash", reference="x", amount=Decimal(-1))


def test_captured_money_pays_the_order_once_however_often_it_is_told() -> None:
    order = placed()

    for _again in range(2):
        order = capture(order_id=order.pk, provider="bank", reference="x1", amount=order.total)

    assert order.status == Order.Status.PAID
    assert Payment.objects.count() == 1
    assert not Refund.objects.exists()


def test_a_reference_that_another_order_has_is_refused() -> None:
    first, second = placed(), placed()
    capture(order_id=first.pk, provider="bank", reference="x1", amount=first.total)

    with pytest.raises(DoneDifferently):
        capture(order_id=second.pk, provider="bank", reference="x1", amount=second.total)


def test_money_for_a_cancelled_order_is_owed_to_the_customer_at_once() -> None:
    order = cancelled()

    order = capture(order_id=order.pk, provider="bank", reference="x1", amount=order.total)

    assert order.status == Order.Status.CANCELLED
    refund = Refund.objects.get()
    assert (refund.amount, refund.status) == (order.total, "owed")
    assert OrderEvent.objects.filter(order=order, kind="overpaid").exists()


def test_a_second_payment_of_a_paid_order_is_owed_back() -> None:
    order = paid()

    capture(order_id=order.pk, provider="bank", reference="x1", amount=order.total)

    assert Refund.objects.get().amount == order.total
    assert balance(order) == 2 * order.total


def test_what_a_part_payment_left_is_all_that_a_capture_needs() -> None:
    order = pay_part(placed())

    order = capture(order_id=order.pk, provider="bank", reference="x1", amount=order.total)

    assert order.status == Order.Status.PAID
    assert Refund.objects.get().amount == Decimal("1.00")
    assert drain(timeout=20)
    assert run_audit().is_clean

"""One attempt: begun once, entered once, and left to the staff if the report doesn't fit."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from notifications.models import Notification
from orders.lifecycle.payouts import due_of
from orders.lifecycle.transitions import cancel
from orders.models import Order, Payment, PaymentAttempt, Refund
from orders.payments import attempts
from orders.payments.attempts import BeingChecked, NothingDue, enter, find_attempt, pay_online
from orders.payments.provider import Outcome, ProviderDown, Report
from orders.payments.providers import UnknownProvider
from orders.payments.test_bank.provider import TestBank
from orders.payments.test_bank.store import BankStore
from tests.order_states import paid, pay_part, placed

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

Make = Callable[..., Report]


def pay_at_bank(order: Order) -> str:
    return pay_online(order_id=order.pk, provider="test-bank")


def told_staff() -> int:
    return Notification.objects.filter(event="payment_to_check").count()


def test_a_customer_is_led_to_the_bank_to_pay_what_is_due(order: Order) -> None:
    pay_part(order)

    page = pay_at_bank(order)

    attempt = PaymentAttempt.objects.get()
    assert (attempt.amount, attempt.currency, attempt.status) == (Decimal("9.00"), "EUR", "started")
    assert page == attempt.url
    known = BankStore().get(attempt.reference)
    assert known is not None
    assert (known.amount, known.order) == ("9.00", order.display_number)


def test_a_second_click_leads_to_the_same_page(order: Order) -> None:
    assert pay_at_bank(order) == pay_at_bank(order)
    assert PaymentAttempt.objects.count() == 1


def test_an_order_that_owes_nothing_starts_no_attempt(tea: None) -> None:
    with pytest.raises(NothingDue):
        pay_at_bank(paid(("TEA", 1)))

    assert not PaymentAttempt.objects.exists()


def test_a_provider_that_the_shop_does_not_use_is_refused(order: Order, settings) -> None:
    settings.PAYMENT_PROVIDERS = []

    with pytest.raises(UnknownProvider):
        pay_at_bank(order)


def test_a_bank_that_is_down_leaves_nothing_behind_and_is_tried_anew(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise ProviderDown("no route")

    with monkeypatch.context() as patch:
        patch.setattr(TestBank, "start", down)
        with pytest.raises(ProviderDown):
            pay_at_bank(order)
    page = pay_at_bank(order)

    failed, started = PaymentAttempt.objects.order_by("created_at")
    assert (failed.status, failed.reason) == ("failed", "no route")
    assert (started.status, started.url) == ("started", page)


def test_a_customer_who_paid_and_comes_again_pays_nothing_more(attempt: PaymentAttempt) -> None:
    BankStore().decide(attempt.reference, outcome="paid")  # and its webhook is lost

    with pytest.raises(NothingDue):
        pay_at_bank(attempt.order)

    assert Payment.objects.get().amount == 10


def test_a_customer_who_paid_elsewhere_is_not_led_to_pay_again(
    attempt: PaymentAttempt, settings
) -> None:
    settings.PAYMENT_PROVIDERS = ["test-bank", "stripe"]
    BankStore().decide(attempt.reference, outcome="paid")

    with pytest.raises(NothingDue):  # before Stripe is asked for anything
        pay_online(order_id=attempt.order_id, provider="stripe")


def test_another_providers_fault_does_not_keep_from_paying(attempt: PaymentAttempt) -> None:
    PaymentAttempt.objects.filter(pk=attempt.pk).update(provider="bank-of-yesterday")

    assert pay_at_bank(attempt.order)

    assert PaymentAttempt.objects.filter(status="started").count() == 2


def test_after_a_cancelled_attempt_another_one_begins(attempt: PaymentAttempt) -> None:
    BankStore().decide(attempt.reference, outcome="cancelled")

    assert pay_at_bank(attempt.order) != attempt.url

    assert sorted(a.status for a in PaymentAttempt.objects.all()) == ["cancelled", "started"]


def test_a_paid_attempt_pays_the_order(attempt: PaymentAttempt, report: Make) -> None:
    enter(attempt=attempt, report=report())

    payment = Payment.objects.get()
    assert (payment.method, payment.provider, payment.reference, payment.amount) == (
        *("online", "test-bank", attempt.reference),
        Decimal("10.00"),
    )
    assert Order.objects.get().status == "paid"
    assert attempt.status == "paid"


def test_a_repeated_report_changes_nothing(attempt: PaymentAttempt, report: Make) -> None:
    for _again in range(3):
        enter(attempt=attempt, report=report())

    assert Payment.objects.count() == 1
    assert Notification.objects.filter(event="order_paid", channel="email").count() == 1


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CANCELLED, Outcome.OPEN])
def test_after_the_money_no_other_report_counts(
    attempt: PaymentAttempt, report: Make, outcome: Outcome
) -> None:
    enter(attempt=attempt, report=report())

    assert enter(attempt=attempt, report=report(outcome=outcome)).status == "paid"


def test_money_counts_whatever_was_reported_before(attempt: PaymentAttempt, report: Make) -> None:
    failed = enter(attempt=attempt, report=report(outcome=Outcome.FAILED, reason="no funds"))
    assert (failed.status, failed.reason) == ("failed", "no funds")

    assert enter(attempt=attempt, report=report()).status == "paid"
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"amount": Decimal("9.99")}, "amount"),
        ({"amount": Decimal("10.01")}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"attempt_id": uuid4()}, "attempt"),
        ({"reference": "bank_of_another_attempt"}, "attempt"),
        ({"payment": ""}, "attempt"),
    ],
)
def test_what_does_not_fit_is_left_to_the_staff_who_are_told_once(
    attempt: PaymentAttempt, report: Make, changes: dict[str, object], doubt: str
) -> None:
    for _again in range(2):
        enter(attempt=attempt, report=report(**changes))

    assert (attempt.status, attempt.doubt) == ("to_check", doubt)
    assert not Payment.objects.exists()
    assert told_staff() == 1
    with pytest.raises(BeingChecked):
        pay_at_bank_once_more(attempt)


def pay_at_bank_once_more(attempt: PaymentAttempt) -> None:
    """Press the button of a page that still shows it."""
    PaymentAttempt.objects.filter(pk=attempt.pk).update(status="started", doubt="")
    wrong = Report(outcome=Outcome.PAID, reference=attempt.reference, amount=Decimal(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestBank, "look", lambda self, attempt: wrong)
        pay_at_bank(attempt.order)


def test_a_payment_that_is_another_orders_already_is_left_to_the_staff(
    attempt: PaymentAttempt, report: Make
) -> None:
    other = placed(("TEA", 1))
    Payment.objects.create(
        order=other, method="online", provider="test-bank", reference=attempt.reference, amount=5
    )

    enter(attempt=attempt, report=report())

    assert (attempt.status, attempt.doubt) == ("to_check", "known")
    assert due_of(attempt.order) == 10


def test_a_report_that_fits_ends_the_check(attempt: PaymentAttempt, report: Make) -> None:
    enter(attempt=attempt, report=report(currency="USD"))

    enter(attempt=attempt, report=report())

    assert (attempt.status, attempt.doubt) == ("paid", "")
    assert Payment.objects.count() == 1


def test_money_for_a_cancelled_order_is_owed_back_and_the_staff_are_told(
    attempt: PaymentAttempt, report: Make
) -> None:
    cancel(order_id=attempt.order_id, by_shopper=True)

    enter(attempt=attempt, report=report())

    refund = Refund.objects.get()
    assert (str(refund.amount), refund.status) == ("10.00", "owed")
    assert Notification.objects.filter(event="refund_owed").count() == 1
    assert attempt.status == "paid"


def test_a_report_may_be_faster_than_the_answer_that_names_the_attempt(
    attempt: PaymentAttempt, report: Make
) -> None:
    PaymentAttempt.objects.update(reference="", url="")

    assert find_attempt(provider="test-bank", report=report()) == attempt
    assert find_attempt(provider="stripe", report=report()) is None


def test_an_attempt_is_not_found_by_our_id_alone(attempt: PaymentAttempt, report: Make) -> None:
    assert find_attempt(provider="test-bank", report=report(reference="another")) is None
    PaymentAttempt.objects.update(reference="")
    assert find_attempt(provider="test-bank", report=report(reference="")) is None


def test_a_crash_between_payment_and_attempt_is_repaired_by_the_next_report(
    attempt: PaymentAttempt, report: Make
) -> None:
    attempts.capture(
        order_id=attempt.order_id,
        provider="test-bank",
        reference=attempt.reference,
        amount=Decimal("10.00"),
    )
    assert PaymentAttempt.objects.get().status == "started"

    enter(attempt=attempt, report=report())

    assert attempt.status == "paid"
    assert Payment.objects.count() == 1


def test_the_database_keeps_one_open_attempt_and_one_per_reference(
    attempt: PaymentAttempt,
) -> None:
    same = {"order": attempt.order, "provider": "test-bank", "currency": "EUR"}

    with pytest.raises(IntegrityError, match="payment_attempt_open_once"), transaction.atomic():
        PaymentAttempt.objects.create(**same, amount=10)
    with pytest.raises(IntegrityError, match="payment_attempt_once"), transaction.atomic():
        PaymentAttempt.objects.create(**same, amount=9, reference=attempt.reference)
    with pytest.raises(IntegrityError, match="payment_attempt_has_an_amount"), transaction.atomic():
        PaymentAttempt.objects.create(**same, amount=0)
    with pytest.raises(IntegrityError, match="to_check_has_a_doubt"), transaction.atomic():
        PaymentAttempt.objects.create(**same, amount=9, status="to_check")

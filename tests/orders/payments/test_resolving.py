"""A payment to check is resolved by a person: it came, it is entered already, or it didn't come."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client

from notifications.models import Notification
from orders.lifecycle.errors import InvalidTransition
from orders.models import Order, Payment, PaymentAttempt, Refund, User
from orders.payments import resolving
from orders.payments.attempts import enter
from orders.payments.provider import Report
from orders.payments.resolving import ResolvedMeanwhile, resolve
from orders.shop.payment import read_payment
from project.desk.audit_log import told
from tests.order_states import pay_part
from tests.orders.shop.pages import text_of
from tests.pages import link_of, open_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

Make = Callable[..., Report]


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def desk(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


@pytest.fixture
def doubtful(attempt: PaymentAttempt, report: Make) -> PaymentAttempt:
    """The bank reports 9.00 where 10.00 were due."""
    return enter(attempt=attempt, report=report(amount=Decimal("9.00")))


def answered(doubtful: PaymentAttempt, user: User, resolution: str, **values: Any) -> Order:
    return resolve(
        attempt_id=doubtful.pk,
        resolution=resolution,
        reason="Seen at the bank",
        user=user,
        **values,
    )


def can_pay(order: Order) -> bool:
    return bool(read_payment(Order.objects.get(pk=order.pk)).ways)


def test_money_that_did_not_come_lets_the_customer_pay_again(
    desk: Client, order: Order, doubtful: PaymentAttempt
) -> None:
    assert not can_pay(order)
    page = desk.get(f"/admin/orders/order/{order.pk}/change/")
    assert "€10.00 to check" in text_of(page)
    form = open_page(desk, link_of(page.content.decode(), "Resolve the payment"))
    assert form.values["resolution"] == ["came"]
    assert form.values["amount"] == ["9.00"]

    answer = form.send_and_follow(resolution="nothing", reason="The bank never booked it")

    assert can_pay(order)
    assert not Payment.objects.exists()
    [entry] = [each for each in answer.context["timeline"] if each.title == "Payment checked"]
    assert (entry.note, entry.reason, str(entry.user)) == (
        "It didn't come.", "The bank never booked it", "boss",
    )  # fmt: skip
    logged = told(LogEntry.objects.get())
    assert (logged.sentences, logged.reason) == (
        ["Resolve the payment"],
        "The bank never booked it",
    )
    assert "to check" not in text_of(answer)


def test_money_that_came_is_entered_and_the_rest_can_be_paid(
    desk: Client, order: Order, doubtful: PaymentAttempt
) -> None:
    url = f"/admin/orders/order/{order.pk}/attempts/{doubtful.pk}/resolve/"
    foreseen = text_of(desk.get(url))

    open_page(desk, url).send(reason="Booked today")

    assert "A payment of €9.00 is entered." in foreseen
    payment = Payment.objects.get()
    assert (payment.amount, payment.reference, payment.provider, str(payment.user)) == (
        Decimal("9.00"), doubtful.reference, "test-bank", "boss",
    )  # fmt: skip
    assert can_pay(order)
    doubtful.refresh_from_db()
    assert (doubtful.status, doubtful.doubt) == ("paid", "")


def test_money_that_the_order_does_not_need_is_owed(doubtful: PaymentAttempt, boss: User) -> None:
    answered(doubtful, boss, "came", amount=Decimal("12.00"), reference="bank-1")

    assert Order.objects.get().status == "paid"
    assert Refund.objects.get(status="owed").amount == Decimal("2.00")


def test_money_that_is_entered_already_is_not_entered_twice(
    order: Order, doubtful: PaymentAttempt, boss: User
) -> None:
    pay_part(order)

    answered(doubtful, boss, "entered")

    assert Payment.objects.count() == 1
    assert can_pay(order)


@pytest.mark.parametrize(
    "values",
    [
        {"resolution": "came"},
        {"resolution": "came", "amount": Decimal("NaN"), "reference": "x"},
        {"resolution": "came", "amount": Decimal("1.001"), "reference": "x"},
        {"resolution": "came", "amount": Decimal("9.00"), "reference": " "},
        {"resolution": "perhaps"},
        {"resolution": "nothing", "reason": " "},
    ],
)
def test_an_incomplete_answer_is_refused(
    values: dict[str, Any], doubtful: PaymentAttempt, boss: User
) -> None:
    with pytest.raises(InvalidTransition):
        resolve(attempt_id=doubtful.pk, user=boss, **{"reason": "Seen", **values})

    doubtful.refresh_from_db()
    assert doubtful.status == "to_check"


def test_who_may_only_look_resolves_nothing(clerk_client: Client, doubtful: PaymentAttempt) -> None:
    url = f"/admin/orders/order/{doubtful.order_id}/attempts/{doubtful.pk}/resolve/"

    assert clerk_client.get(url).status_code == 403
    assert clerk_client.post(url, {"resolution": "nothing", "reason": "x"}).status_code == 403


def test_it_waits_for_somebody_on_the_overview(desk: Client, doubtful: PaymentAttempt) -> None:
    [task] = [task for task in desk.get("/admin/").context["tasks"] if task.name == "to_check"]

    assert (task.count, task.is_urgent) == (1, True)
    assert "Resolve the payment" in text_of(desk.get(task.url))


# ── Reports that come late ──────────────────────────────────────────────────────────────────
def test_the_same_report_again_is_no_news(
    doubtful: PaymentAttempt, report: Make, boss: User
) -> None:
    answered(doubtful, boss, "nothing")
    known = Notification.objects.filter(event="payment_to_check").count()

    again = enter(attempt=doubtful, report=report(amount=Decimal("9.00")))
    other = enter(attempt=doubtful, report=report(amount=Decimal("8.00")))

    assert (again.pk, other.status, other.doubt) == (doubtful.pk, "to_check", "amount")
    assert Notification.objects.filter(event="payment_to_check").count() == known * 2


def test_money_that_fits_counts_whatever_was_decided(
    doubtful: PaymentAttempt, report: Make, boss: User
) -> None:
    answered(doubtful, boss, "nothing")

    attempt = enter(attempt=doubtful, report=report())

    assert attempt.status == "paid"
    assert Order.objects.get().status == "paid"


@pytest.mark.parametrize("is_counted", [True, False], ids=["", "control"])
def test_a_webhook_and_two_operators_at_once_enter_one_payment(
    is_counted: bool,
    doubtful: PaymentAttempt,
    report: Make,
    boss: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control gives each click its own key of the payment: then each enters one.

    It has no webhook: where that came first, both clicks would be late.
    """
    start = Barrier(3)
    keys = iter(range(3))
    if not is_counted:
        real = resolving.enter_captured

        def enter_anew(order: Order, *, reference: str, **values: Any) -> Order:
            PaymentAttempt.objects.filter(pk=doubtful.pk).update(status="to_check", doubt="amount")
            return real(order, reference=f"{reference}-{next(keys)}", **values)

        monkeypatch.setattr(resolving, "enter_captured", enter_anew)

    def click() -> str:
        try:
            answered(doubtful, boss, "came", amount=Decimal("10.00"), reference=doubtful.reference)
        except ResolvedMeanwhile:
            return "late"
        return "resolved"

    def webhook() -> str:
        return enter(attempt=PaymentAttempt.objects.get(pk=doubtful.pk), report=report()).status

    def run(step: Callable[[], str]) -> str:
        start.wait(10)
        try:
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(run, [click, click, webhook if is_counted else click]))

    entered = Payment.objects.count()
    if is_counted:
        assert entered == 1
        assert answers.count("resolved") <= 1
        assert PaymentAttempt.objects.get().status == "paid"
    else:
        assert entered > 1

"""The sweep that asks about open attempts: a lost webhook loses nothing."""

from datetime import timedelta

import psycopg
import pytest
from django.db.models import F
from django.db.models.functions import Now

from orders.models import Order, PaymentAttempt
from orders.payments.attempts import GIVEN_UP, LATEST, SOONEST, next_look, note_return
from orders.payments.looking import look_at_attempts
from orders.payments.provider import ProviderDown
from orders.payments.test_bank.provider import TestBank
from orders.payments.test_bank.store import BankStore
from project.database.clock import database_now
from project.database.timeouts import lock_timeout
from project.schedule.passes import UnfinishedError
from tests.database import this_database

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def make_due() -> None:
    PaymentAttempt.objects.update(look_after=Now())


def test_a_payment_whose_webhook_was_lost_is_entered(attempt: PaymentAttempt) -> None:
    BankStore().decide(attempt.reference, outcome="paid")
    assert look_at_attempts() is None  # not due yet
    make_due()

    assert look_at_attempts() == {"asked": 1}

    assert Order.objects.get().status == "paid"
    assert look_at_attempts() is None


def test_an_open_attempt_is_asked_about_again_later(attempt: PaymentAttempt) -> None:
    make_due()

    look_at_attempts()

    attempt.refresh_from_db()
    assert attempt.status == "started"
    assert attempt.look_after >= database_now()
    assert look_at_attempts() is None


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(seconds=1), SOONEST),
        (timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(days=30), LATEST),
    ],
)
def test_the_pauses_grow_with_the_time(
    attempt: PaymentAttempt, age: timedelta, pause: timedelta
) -> None:
    attempt.created_at = database_now() - age

    assert next_look(attempt) - pause < timedelta(seconds=2)


def test_after_the_customers_return_the_bank_is_asked_soon(attempt: PaymentAttempt) -> None:
    note_return(attempt)

    attempt.refresh_from_db()
    assert attempt.returned_at is not None
    assert attempt.look_after - attempt.returned_at == SOONEST


def test_a_bank_that_is_down_is_asked_once_a_run(
    attempt: PaymentAttempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = PaymentAttempt.objects.create(
        order=attempt.order,
        provider="test-bank",
        amount=1,
        currency="EUR",
        reference="bank_2",
    )
    make_due()
    asked = []

    def down(self: TestBank, attempt: PaymentAttempt) -> None:
        asked.append(attempt.pk)
        raise ProviderDown("no route")

    monkeypatch.setattr(TestBank, "look", down)

    assert look_at_attempts() == {"asked": 1, "down": ["test-bank"]}

    assert len(asked) == 1
    assert {attempt.pk, second.pk} > set(asked)


@pytest.mark.parametrize("reference", ["bank_2", ""], ids=["asked about", "cut off"])
def test_an_attempt_that_somebody_has_locked_keeps_no_other_from_being_asked_about(
    attempt: PaymentAttempt, reference: str
) -> None:
    BankStore().decide(attempt.reference, outcome="paid")
    make_due()
    locked = PaymentAttempt.objects.create(
        order=attempt.order,
        provider="test-bank",
        amount=1,
        currency="EUR",
        reference=reference,
        look_after=Now() - 2 * GIVEN_UP,
    )
    with psycopg.connect(this_database()) as session, lock_timeout("200ms"):
        session.execute("SELECT 1 FROM orders_paymentattempt WHERE id = %s FOR UPDATE", [locked.pk])

        with pytest.raises(UnfinishedError, match="1 payment attempts wait: locked"):
            look_at_attempts()

        session.rollback()

    assert Order.objects.get().status == "paid"
    look_at_attempts()
    assert PaymentAttempt.objects.filter(look_after__lte=Now(), status="started").count() == 0


def test_an_attempt_whose_start_was_cut_off_ends(attempt: PaymentAttempt) -> None:
    PaymentAttempt.objects.update(reference="")
    look_at_attempts()
    assert PaymentAttempt.objects.get().status == "started"
    PaymentAttempt.objects.update(look_after=F("look_after") - GIVEN_UP - timedelta(minutes=1))

    look_at_attempts()

    assert PaymentAttempt.objects.get().status == "cancelled"


def test_attempts_at_a_provider_that_is_not_used_any_more_are_left_alone(
    attempt: PaymentAttempt, settings
) -> None:
    make_due()
    settings.PAYMENT_PROVIDERS = []

    assert look_at_attempts() is None
    assert PaymentAttempt.objects.get().status == "started"

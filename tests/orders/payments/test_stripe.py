"""Stripe Checkout by Stripe's own SDK, against a local server that checks what is sent."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.test import Client

from orders.models import Order, Payment, PaymentAttempt
from orders.payments import providers
from orders.payments.attempts import begin, look, pay_online
from orders.payments.provider import BadSignature, Outcome, ProviderDown, ProviderRefused
from orders.payments.stripe_checkout import StripeCheckout
from project.local.data_folder import free_port
from tests.orders.payments.stripe_server import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    LocalStripe,
    event,
    local_stripe,
    signed,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
RETURN = {"return_url": "https://shop.example/back", "leave_url": "https://shop.example/left"}
COMPLETED = "checkout.session.completed"


def checkout(**changes: str) -> StripeCheckout:
    values = {"secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
    return StripeCheckout(**(values | changes))


@pytest.fixture
def server(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStripe]:
    """Let the shop use the local Stripe."""
    settings.PAYMENT_PROVIDERS = ["stripe"]
    with local_stripe() as running:
        monkeypatch.setitem(providers._MAKERS, "stripe", partial(checkout, api=running.url))
        yield running


@pytest.fixture
def started(server: LocalStripe, order: Order) -> PaymentAttempt:
    """An attempt whose customer is at Stripe's page."""
    pay_online(order_id=order.pk, provider="stripe")
    return PaymentAttempt.objects.get()


def webhook(body: bytes, headers: dict[str, str]) -> Any:
    url = "/payments/stripe/webhook"
    return Client().post(url, body, content_type="application/json", headers=headers)


def test_a_session_is_asked_for_in_minor_units_under_the_attempts_key(
    server: LocalStripe, order: Order
) -> None:
    page = pay_online(order_id=order.pk, provider="stripe")

    attempt = PaymentAttempt.objects.get()
    [(_path, asked)] = server.requests
    back = f"/orders/{order.pk}/pay/{attempt.pk}/"
    assert page == "https://checkout.stripe.com/c/pay/cs_test_0"
    assert asked["line_items[0][price_data][unit_amount]"] == "1000"
    assert asked["line_items[0][price_data][currency]"] == "eur"
    assert asked["line_items[0][price_data][product_data][name]"] == f"Order {order}"
    assert asked["client_reference_id"] == asked["metadata[attempt]"] == str(attempt.pk)
    assert asked["payment_intent_data[metadata][order]"] == str(order.pk)
    assert asked["success_url"].endswith(back)
    assert asked["cancel_url"].endswith(f"{back}?left=1")
    assert asked["customer_email"] == "ada@example.org"
    assert attempt.reference == "cs_test_0"


def test_a_repeated_start_has_the_same_key_and_the_same_request(
    server: LocalStripe, order: Order
) -> None:
    attempt = begin(order_id=order.pk, provider="stripe")
    stripe = checkout(api=server.url)

    assert stripe.start(attempt, **RETURN) == stripe.start(attempt, **RETURN)
    assert len(server.sessions) == 1


def test_the_webhook_pays_the_order_once_beside_the_return_page(
    server: LocalStripe, started: PaymentAttempt, client: Client
) -> None:
    body = event(COMPLETED, server.pay(started.reference))

    answers = [webhook(body, signed(body)) for _again in range(2)]
    client.get(f"/orders/{started.order_id}/pay/{started.pk}/")

    assert [answer.status_code for answer in answers] == [200, 200]
    payment = Payment.objects.get()
    assert (payment.provider, payment.reference, payment.amount) == ("stripe", "pi_1", Decimal(10))
    assert Order.objects.get().status == "paid"


@pytest.mark.parametrize("signing", [{"secret": "whsec_other"}, {"age": 301}])
def test_a_bad_signature_and_an_old_one_are_refused(
    server: LocalStripe, started: PaymentAttempt, signing: dict[str, Any]
) -> None:
    body = event(COMPLETED, server.pay(started.reference))

    assert webhook(body, signed(body, **signing)).status_code == 400
    with pytest.raises(BadSignature):
        checkout().read_webhook(body, {})
    assert not Payment.objects.exists()


@pytest.mark.parametrize("wrong", [{"amount_total": 999}, {"currency": "usd"}])
def test_another_amount_or_currency_is_left_to_the_staff(
    server: LocalStripe, started: PaymentAttempt, wrong: dict[str, Any]
) -> None:
    body = event(COMPLETED, server.pay(started.reference) | wrong)

    assert webhook(body, signed(body)).status_code == 200

    assert not Payment.objects.exists()
    assert PaymentAttempt.objects.get().status == "to_check"


@pytest.mark.parametrize(
    ("kind", "session", "outcome"),
    [
        (COMPLETED, {"status": "complete", "payment_status": "unpaid"}, Outcome.OPEN),
        ("checkout.session.expired", {"status": "expired"}, Outcome.CANCELLED),
        ("checkout.session.async_payment_failed", {"status": "complete"}, Outcome.FAILED),
        (
            "checkout.session.async_payment_succeeded",
            {"status": "complete", "payment_status": "paid", "payment_intent": "pi_2"},
            Outcome.PAID,
        ),
    ],
)
def test_each_event_of_a_session_has_its_outcome(
    server: LocalStripe,
    started: PaymentAttempt,
    kind: str,
    session: dict[str, Any],
    outcome: Outcome,
) -> None:
    body = event(kind, server.sessions[started.reference] | session)

    report = checkout().read_webhook(body, signed(body))

    assert report is not None
    assert report.outcome is outcome
    assert (report.reference, report.attempt_id) == (started.reference, started.pk)


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.refunded"])
def test_other_events_are_taken_and_mean_nothing(
    server: LocalStripe, started: PaymentAttempt, kind: str
) -> None:
    body = event(kind, {"id": "pi_1", "object": "payment_intent"})

    assert webhook(body, signed(body)).json() == {"known": False}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"object": "event"}'])
def test_a_signed_body_that_is_no_event_is_refused(server: LocalStripe, body: bytes) -> None:
    assert webhook(body, signed(body)).status_code == 400


def test_asked_stripe_tells_of_a_payment_on_its_way_that_failed(
    server: LocalStripe, started: PaymentAttempt
) -> None:
    failure = {"id": "pi_3", "last_payment_error": {"message": "The bank said no."}}
    server.sessions[started.reference] |= {"status": "complete", "payment_intent": failure}

    attempt = look(started)

    assert (attempt.status, attempt.reason) == ("failed", "The bank said no.")


def test_asked_stripe_tells_of_a_payment_whose_webhook_was_lost(
    server: LocalStripe, started: PaymentAttempt
) -> None:
    server.pay(started.reference)

    assert look(started).status == "paid"
    assert Payment.objects.get().reference == "pi_1"


def test_a_fault_is_tried_once_more_by_the_sdk(server: LocalStripe, order: Order) -> None:
    server.faults = [503]

    assert pay_online(order_id=order.pk, provider="stripe")
    assert len(server.requests) == 2


def test_faults_and_refusals_are_told_apart(server: LocalStripe, order: Order) -> None:
    attempt = begin(order_id=order.pk, provider="stripe")
    server.faults = [500, 500]
    with pytest.raises(ProviderDown):
        checkout(api=server.url).start(attempt, **RETURN)
    with pytest.raises(ProviderRefused, match="Invalid API Key"):
        checkout(api=server.url, secret_key="sk_test_wrong").start(attempt, **RETURN)
    with pytest.raises(ProviderDown):
        checkout(api=f"http://127.0.0.1:{free_port()}").start(attempt, **RETURN)

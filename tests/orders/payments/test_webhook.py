"""The webhook: signed and recent, or refused; busy is said, unknown is taken."""

import json
import time
from typing import Any

import pytest
from django.test import Client

from notifications.receipts.signature import TOLERANCE, sign
from orders.lifecycle.errors import OrderBusy
from orders.models import Order, Payment, PaymentAttempt
from orders.payments import webhook
from orders.payments.test_bank.store import BankStore
from orders.payments.test_bank.webhook import webhook_secret

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
URL = "/payments/test-bank/webhook"


def event(attempt: PaymentAttempt, **changes: str) -> dict[str, Any]:
    payment = {
        "id": attempt.reference,
        "attempt": str(attempt.pk),
        "outcome": "paid",
        "amount": "10.00",
        "currency": "EUR",
    }
    return {"type": "payment", "payment": payment | changes}


def post(body: object, *, age: int = 0, secret: str = "", url: str = URL) -> Any:
    """Send the event as the bank does: signed, without a session or a CSRF token."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = int(time.time()) - age
    signature = sign(raw, secret=secret or webhook_secret(), timestamp=timestamp)
    headers = {"Bank-Timestamp": str(timestamp), "Bank-Signature": signature}
    client = Client(enforce_csrf_checks=True)
    return client.post(url, raw, content_type="application/json", headers=headers)


def test_a_signed_event_pays_the_order_and_its_replay_changes_nothing(
    attempt: PaymentAttempt,
) -> None:
    first, replay = post(event(attempt)), post(event(attempt))

    assert [first.status_code, replay.status_code] == [200, 200]
    assert first.json() == {"known": True}
    assert Payment.objects.count() == 1
    assert Order.objects.get().status == "paid"
    assert not first.cookies


@pytest.mark.parametrize(
    "signed", [{"secret": "another"}, {"age": TOLERANCE + 5}, {"age": -TOLERANCE - 5}]
)
def test_a_bad_signature_and_an_old_one_are_refused(
    attempt: PaymentAttempt, signed: dict[str, Any]
) -> None:
    answer = post(event(attempt), **signed)

    assert answer.status_code == 400
    assert not Payment.objects.exists()


def test_a_changed_body_is_refused(attempt: PaymentAttempt, client: Client) -> None:
    timestamp = int(time.time())
    signed = json.dumps(event(attempt, outcome="failed")).encode()
    signature = sign(signed, secret=webhook_secret(), timestamp=timestamp)
    headers = {"Bank-Timestamp": str(timestamp), "Bank-Signature": signature}

    answer = client.post(
        URL, json.dumps(event(attempt)), content_type="application/json", headers=headers
    )

    assert answer.status_code == 400
    assert PaymentAttempt.objects.get().status == "started"


@pytest.mark.parametrize(
    ("changes", "doubt"), [({"amount": "0.10"}, "amount"), ({"currency": "JPY"}, "amount")]
)
def test_another_amount_or_currency_is_not_entered(
    attempt: PaymentAttempt, changes: dict[str, str], doubt: str
) -> None:
    assert post(event(attempt, **changes)).status_code == 200

    assert not Payment.objects.exists()
    assert PaymentAttempt.objects.get().doubt == doubt


@pytest.mark.parametrize(
    "body", [{"type": "payout", "payment": {}}, {"type": "news"}], ids=["other", "news"]
)
def test_an_event_about_something_else_is_taken(attempt: PaymentAttempt, body: object) -> None:
    assert post(body).json() == {"known": False}


def test_a_payment_that_is_not_ours_is_taken_and_not_entered(attempt: PaymentAttempt) -> None:
    answer = post(event(attempt, id="bank_of_another_shop"))

    assert (answer.status_code, answer.json()) == (200, {"known": False})
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", {"type": "payment"}, {"type": "payment", "payment": {"id": 1}}],
)
def test_a_signed_body_that_cannot_be_read_is_refused(
    attempt: PaymentAttempt, body: object
) -> None:
    assert post(body).status_code == 400


def test_a_locked_order_is_busy(attempt: PaymentAttempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**values: object) -> None:
        raise OrderBusy

    monkeypatch.setattr(webhook, "enter", busy)

    answer = post(event(attempt))

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_provider_that_is_not_used_has_no_webhook(attempt: PaymentAttempt, settings) -> None:
    assert post(event(attempt), url="/payments/stripe/webhook").status_code == 404
    settings.PAYMENT_PROVIDERS = []
    assert post(event(attempt)).status_code == 404


def test_a_body_that_is_too_large_is_not_read(attempt: PaymentAttempt) -> None:
    assert post(b" " * (webhook.MAX_BODY + 1)).status_code == 413


def test_only_a_post_is_a_webhook(client: Client) -> None:
    assert client.get(URL).status_code == 405


def test_the_banks_own_store_and_its_webhook_say_the_same(attempt: PaymentAttempt) -> None:
    from orders.payments.test_bank.webhook import said

    BankStore().decide(attempt.reference, outcome="paid")
    payment = BankStore().get(attempt.reference)
    assert payment is not None

    assert said(payment) == event(attempt)["payment"]

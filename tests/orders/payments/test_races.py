"""Webhook, return page and sweep report one payment at the same moment: it is entered once."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now
from django.test import Client

from notifications.receipts.signature import sign
from orders.models import Payment, PaymentAttempt
from orders.payments.attempts import pay_online
from orders.payments.looking import look_at_attempts
from orders.payments.test_bank.store import BankStore
from orders.payments.test_bank.webhook import said, webhook_secret
from tests.order_states import placed
from tests.races import without_constraint

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "tea"),
]

ROUNDS = 15
LOCKING = re.compile(r'(FROM "orders_order" .*) FOR NO KEY UPDATE$', re.DOTALL)

Steps = list[Callable[[], Any]]


@pytest.fixture
def at_once() -> Iterator[Callable[[Steps], list[Any]]]:
    """Call it with three steps: they start together, on connections of their own."""
    start = threading.Barrier(3)

    def run(step: Callable[[], Any]) -> Any:
        start.wait(10)
        return step()

    with ThreadPoolExecutor(3) as pool:
        yield lambda steps: list(pool.map(run, steps))
        list(pool.map(run, [connections.close_all] * 3))


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out the order's lock: it is only read, a moment before it is used."""
    execute = CursorWrapper.execute

    def execute_unlocked(self: CursorWrapper, sql: str, params: Any = None) -> Any:
        answer = execute(self, LOCKING.sub(r"\1", sql), params)
        if LOCKING.search(sql):
            time.sleep(0.1)
        return answer

    monkeypatch.setattr(CursorWrapper, "execute", execute_unlocked)


def paid_attempt() -> PaymentAttempt:
    """An attempt that the customer has paid, and nobody knows yet but the bank."""
    order = placed(("TEA", 1))
    pay_online(order_id=order.pk, provider="test-bank")
    attempt = PaymentAttempt.objects.get(order=order)
    BankStore().decide(attempt.reference, outcome="paid")
    PaymentAttempt.objects.filter(pk=attempt.pk).update(look_after=Now())
    return attempt


def three_ways(attempt: PaymentAttempt) -> Steps:
    payment = BankStore().get(attempt.reference)
    assert payment is not None
    body = json.dumps({"type": "payment", "payment": said(payment)}).encode()
    timestamp = int(time.time())
    headers = {
        "Bank-Timestamp": str(timestamp),
        "Bank-Signature": sign(body, secret=webhook_secret(), timestamp=timestamp),
    }
    url = "/payments/test-bank/webhook"
    return [
        lambda: Client().post(url, body, content_type="application/json", headers=headers),
        lambda: Client().get(f"/orders/{attempt.order_id}/pay/{attempt.pk}/"),
        look_at_attempts,
    ]


def test_one_payment_is_entered(at_once: Callable[[Steps], list[Any]]) -> None:
    for _round in range(ROUNDS):
        attempt = paid_attempt()

        webhook, page, _sweep = at_once(three_ways(attempt))

        assert (webhook.status_code, page.status_code) == (200, 302)
        assert Payment.objects.filter(order=attempt.order_id).count() == 1
        attempt.refresh_from_db()
        assert (attempt.status, attempt.order.status) == ("paid", "paid")


@pytest.mark.usefixtures("unlocked")
def test_control_without_lock_and_key_it_is_entered_twice(
    at_once: Callable[[Steps], list[Any]],
) -> None:
    attempt = paid_attempt()
    with (
        without_constraint(Payment, "payment_once_per_reference"),
        without_constraint(Payment, "payment_once_per_provider"),
    ):
        at_once(three_ways(attempt))
        entered = Payment.objects.filter(order=attempt.order_id).count()
        Payment.objects.all().delete()

    assert entered > 1


def test_many_clicks_make_one_attempt(at_once: Callable[[Steps], list[Any]]) -> None:
    for _round in range(ROUNDS):
        order = placed(("TEA", 1))
        click = lambda: pay_online(order_id=order.pk, provider="test-bank")  # noqa: B023, E731

        pages = at_once([click] * 3)

        assert len(set(pages)) == 1
        assert PaymentAttempt.objects.filter(order=order).count() == 1

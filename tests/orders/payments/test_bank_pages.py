"""The test bank's pages and its webhook, by real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from orders.models import Order, Payment, PaymentAttempt
from orders.payments.test_bank import views, webhook
from orders.payments.test_bank.store import BankStore
from tests.orders.shop.pages import text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Thread]]:
    """The threads that send webhooks; all have ended with the test."""
    started: list[Thread] = []

    def send(payment: Any) -> Thread:
        started.append(webhook.send_later(payment))
        return started[-1]

    monkeypatch.setattr(views, "send_later", send)
    yield started
    for thread in started:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def site(live_server, settings) -> str:
    """Let the bank find the shop at a real address."""
    settings.SITE_URL = live_server.url
    return settings.SITE_URL


def decide(client: Client, attempt: PaymentAttempt, decision: str, answer: str = "both") -> Any:
    page = f"/test-bank/{attempt.reference}/"
    return client.post(page, {"decision": decision, "answer": answer})


def test_the_page_says_what_is_paid_to_whom(client: Client, attempt: PaymentAttempt) -> None:
    text = text_of(client.get(f"/test-bank/{attempt.reference}/"))

    for said in ("€10.00", "Tandem", f"Order {attempt.order}", "Pay", "Refuse", "Cancel"):
        assert said in text


def test_the_pages_speak_chinese(client: Client, attempt: PaymentAttempt) -> None:
    client.cookies["django_language"] = "zh-hans"

    for page in ("/test-bank/", f"/test-bank/{attempt.reference}/"):
        text = text_of(client.get(page))
        assert "测试银行" in text
        assert "Test bank" not in text
    translation.deactivate()


def test_paid_is_told_by_webhook(
    client: Client, attempt: PaymentAttempt, site: str, threads: list[Thread]
) -> None:
    answer = decide(client, attempt, "pay", "webhook")

    assert answer["Location"] == f"/test-bank/{attempt.reference}/"  # the customer stays
    [thread] = threads
    thread.join(20)
    assert Payment.objects.get().reference == attempt.reference
    assert "You paid this." in text_of(client.get(answer["Location"]))


@pytest.mark.parametrize(
    ("decision", "status"), [("refuse", "failed"), ("cancel", "cancelled"), ("pay", "paid")]
)
def test_each_decision_leads_back_and_is_told(
    client: Client,
    attempt: PaymentAttempt,
    site: str,
    threads: list[Thread],
    decision: str,
    status: str,
) -> None:
    answer = decide(client, attempt, decision)

    assert answer["Location"].endswith(f"/orders/{attempt.order_id}/pay/{attempt.pk}/")
    threads[0].join(20)
    assert PaymentAttempt.objects.get().status == status


def test_by_the_return_only_no_webhook_is_sent(
    client: Client, attempt: PaymentAttempt, threads: list[Thread]
) -> None:
    answer = decide(client, attempt, "pay", "return")

    assert threads == []
    assert PaymentAttempt.objects.get().status == "started"
    client.get(f"/orders/{attempt.order_id}/pay/{attempt.pk}/")
    assert PaymentAttempt.objects.get().status == "paid"
    assert answer.status_code == 302


def test_a_late_answer_is_open_until_then(
    client: Client,
    attempt: PaymentAttempt,
    site: str,
    threads: list[Thread],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "LATE", 2.0)

    decide(client, attempt, "pay", "late")
    page = client.get(f"/orders/{attempt.order_id}/pay/{attempt.pk}/", follow=True)

    assert "We wait for the bank&#x27;s answer" in text_of(page)
    threads[0].join(20)
    assert Order.objects.get().status == "paid"


def test_a_webhook_that_finds_no_shop_is_sent_again(
    client: Client,
    attempt: PaymentAttempt,
    site: str,
    threads: list[Thread],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = []
    post = webhook.post_webhook

    def fail_first(event: object) -> bool:
        sent.append(event)
        return len(sent) > 1 and post(event)

    monkeypatch.setattr(webhook, "post_webhook", fail_first)

    decide(client, attempt, "pay")

    threads[0].join(20)
    assert len(sent) == 2
    assert Payment.objects.count() == 1


def test_a_payment_is_decided_once(
    client: Client, attempt: PaymentAttempt, threads: list[Thread]
) -> None:
    decide(client, attempt, "pay", "return")
    decide(client, attempt, "cancel", "return")

    payment = BankStore().get(attempt.reference)
    assert payment is not None
    assert payment.outcome == "paid"


def test_an_unknown_decision_decides_nothing(client: Client, attempt: PaymentAttempt) -> None:
    assert decide(client, attempt, "steal").status_code == 200

    payment = BankStore().get(attempt.reference)
    assert payment is not None
    assert payment.decision is None


def test_a_decision_takes_a_csrf_token(attempt: PaymentAttempt) -> None:
    assert decide(Client(enforce_csrf_checks=True), attempt, "pay").status_code == 403


def test_the_list_has_all_payments(client: Client, attempt: PaymentAttempt) -> None:
    BankStore().decide(attempt.reference, outcome="failed")

    assert f"€10.00 Order {attempt.order} Refused" in text_of(client.get("/test-bank/"))


def test_outside_local_mode_there_is_no_bank(
    client: Client, attempt: PaymentAttempt, settings
) -> None:
    settings.TANDEM_LOCAL = False

    for page in ("/test-bank/", f"/test-bank/{attempt.reference}/"):
        assert client.get(page).status_code == 404
    assert decide(client, attempt, "pay").status_code == 404


def test_what_is_no_payment_is_not_found(client: Client, tea: None) -> None:
    assert client.get(f"/test-bank/bank_{'0' * 32}/").status_code == 404
    assert client.get("/test-bank/..%2f..%2fenv/").status_code == 404


def test_the_store_keeps_the_newest(
    attempt: PaymentAttempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.payments.test_bank.store.KEEP", 2)
    values = {"shop": "T", "order": "T1", "amount": "1", "currency": "EUR"}
    urls = {"return_url": "/", "leave_url": "/"}
    from uuid import uuid4

    ids = [BankStore().add(attempt_id=uuid4(), **values, **urls).id for _ in range(3)]

    kept = [payment.id for payment in BankStore().payments()]
    assert kept == ids[:0:-1]


def test_a_payment_that_another_process_deletes_meanwhile_stops_nothing(tmp_path: Path) -> None:
    store = BankStore(tmp_path)
    (tmp_path / "bank_gone.json").symlink_to(tmp_path / "nowhere")  # listed, and not there

    assert list(store.payments()) == []

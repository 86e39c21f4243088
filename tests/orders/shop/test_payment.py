"""The order's page: what is due, the way to the provider and back, a true sentence each time."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orders.lifecycle.transitions import cancel, pay
from orders.models import Order, Payment, PaymentAttempt
from orders.payments.provider import ProviderDown, ProviderRefused
from orders.payments.test_bank.provider import TestBank
from orders.payments.test_bank.store import BankStore
from tests.factories import add_product
from tests.order_states import paid, pay_part, placed
from tests.orders.shop.pages import text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
BUTTON = "Pay €10.00: test bank"


@pytest.fixture(autouse=True)
def bank(settings, tmp_path: Path) -> None:
    settings.TANDEM_LOCAL = True
    settings.DATA_DIR = tmp_path
    settings.PAYMENT_PROVIDERS = ["test-bank"]


@pytest.fixture
def order(db: None) -> Order:
    add_product("TEA", stock=100, price="5.00")
    return placed(("TEA", 2))


def show(client: Client, order: Order) -> str:
    return text_of(client.get(f"/orders/{order.pk}/"))


def click(client: Client, order: Order, **changes: Any) -> Any:
    return client.post(f"/orders/{order.pk}/pay/", {"provider": "test-bank"} | changes)


def go_to_bank(client: Client, order: Order) -> PaymentAttempt:
    click(client, order)
    return PaymentAttempt.objects.get()


def come_back(client: Client, attempt: PaymentAttempt, query: str = "") -> str:
    url = f"/orders/{attempt.order_id}/pay/{attempt.pk}/{query}"
    page = client.get(url, follow=True)
    assert page.redirect_chain == [(f"/orders/{attempt.order_id}/", 302)]
    return text_of(page)


def test_the_page_says_what_is_due_and_leads_to_the_bank(client: Client, order: Order) -> None:
    text = show(client, order)
    assert "€10.00 is due." in text
    assert BUTTON in text

    answer = click(client, order)

    assert answer.status_code == 303
    assert answer["Location"] == PaymentAttempt.objects.get().url


def test_a_part_that_is_paid_is_not_due_any_more(client: Client, order: Order) -> None:
    pay_part(order)

    text = show(client, order)

    assert "€9.00 of €10.00 is still due." in text
    assert "Pay €9.00: test bank" in text


def test_back_with_the_money_the_page_says_paid(client: Client, order: Order) -> None:
    attempt = go_to_bank(client, order)
    BankStore().decide(attempt.reference, outcome="paid")

    text = come_back(client, attempt)

    assert "is paid, and will be packed soon." in text
    assert "is due" not in text
    assert "test bank" not in text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("failed", "didn&#x27;t work"), ("cancelled", "was cancelled")],
)
def test_back_without_the_money_the_page_says_so_and_one_can_pay_again(
    client: Client, order: Order, outcome: str, said: str
) -> None:
    attempt = go_to_bank(client, order)
    BankStore().decide(attempt.reference, outcome=outcome)

    text = come_back(client, attempt)

    assert f"The last payment {said}, and nothing was paid by it. You can try again." in text
    assert BUTTON in text
    assert click(client, order)["Location"] != attempt.url


def test_until_the_bank_answers_the_page_waits_and_looks_live(client: Client, order: Order) -> None:
    attempt = go_to_bank(client, order)
    text = come_back(client, attempt)
    assert "We wait for the bank&#x27;s answer about your payment." in text
    assert "Back to the bank: test bank" in text
    page = client.get(f"/orders/{order.pk}/")
    assert "every 1s" in page.content.decode()
    seen = page.context["progress"].version
    assert client.get(f"/orders/{order.pk}/progress/?seen={seen}").status_code == 204

    BankStore().decide(attempt.reference, outcome="paid")
    client.get(f"/orders/{order.pk}/pay/{attempt.pk}/")
    news = client.get(f"/orders/{order.pk}/progress/?seen={seen}")

    assert "is paid, and will be packed soon." in text_of(news)
    assert 'id="order-news" hx-swap-oob="innerHTML"' in news.content.decode()


def test_who_leaves_the_bank_undecided_does_not_wait_for_it(client: Client, order: Order) -> None:
    attempt = go_to_bank(client, order)

    text = come_back(client, attempt, "?left=1")

    assert "We wait for the bank" not in text
    assert BUTTON in text
    assert click(client, order)["Location"] == attempt.url


def test_a_payment_to_check_is_not_offered_again(client: Client, order: Order) -> None:
    go_to_bank(client, order)
    PaymentAttempt.objects.update(status="to_check", doubt="amount")

    text = show(client, order)

    assert "Your last payment doesn&#x27;t match this order, so we look at it first." in text
    assert "test bank" not in text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProviderDown("no route to 192.0.2.1"), "Nothing was paid. Please try again."),
        (ProviderRefused("bad key sk_live_1"), "Nothing was paid; we look at it."),
    ],
)
def test_a_bank_that_cannot_be_used_is_told_without_its_words(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(TestBank, "start", fail)
        text = text_of(
            client.post(f"/orders/{order.pk}/pay/", {"provider": "test-bank"}, follow=True)
        )

    assert said in text
    assert str(error) not in text
    assert click(client, order).status_code == 303


def test_a_bank_that_cannot_be_asked_at_the_return_is_asked_later(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = go_to_bank(client, order)

    def down(*args: object) -> None:
        raise ProviderDown("no route")

    monkeypatch.setattr(TestBank, "look", down)

    assert "We wait for the bank&#x27;s answer" in come_back(client, attempt)


def test_a_button_of_an_old_page_starts_nothing(client: Client, order: Order) -> None:
    pay(order_id=order.pk, method="cash", reference="1", amount=order.total)

    page = client.post(f"/orders/{order.pk}/pay/", {"provider": "test-bank"}, follow=True)

    assert "Nothing is due any more." in text_of(page)
    assert not PaymentAttempt.objects.exists()


def test_money_that_comes_after_the_cancelling_is_told_to_come_back(
    client: Client, order: Order
) -> None:
    attempt = go_to_bank(client, order)
    cancel(order_id=order.pk, by_shopper=True)
    BankStore().decide(attempt.reference, outcome="paid")

    text = come_back(client, attempt)

    assert "is cancelled." in text
    assert "You get back €10.00." in text
    assert Payment.objects.count() == 1


def test_a_paid_order_says_nothing_about_money(client: Client, order: Order) -> None:
    text = show(client, paid(("TEA", 1)))

    assert "is due" not in text
    assert "get back" not in text


def test_without_a_provider_the_page_says_how_to_pay(
    client: Client, order: Order, settings
) -> None:
    settings.PAYMENT_PROVIDERS = []
    settings.PAYMENT_ACCOUNT, settings.PAYMENT_AT_PICKUP = None, False
    assert "We&#x27;ll tell you how to pay it." in show(client, order)

    settings.PAYMENT_INSTRUCTIONS = "By transfer to DE00 <1>"

    text = client.get(f"/orders/{order.pk}/").content.decode()
    assert "By transfer to DE00 &lt;1&gt;" in text
    assert "We&#x27;ll tell you" not in text
    assert click(client, order).status_code == 404


def test_only_a_post_with_a_token_goes_to_the_bank(client: Client, order: Order) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert client.get(f"/orders/{order.pk}/pay/").status_code == 405
    assert click(strict, order).status_code == 403
    assert click(client, order, provider="stripe").status_code == 404


def test_an_attempt_is_found_at_its_own_order_only(client: Client, order: Order) -> None:
    attempt = go_to_bank(client, order)
    other = placed(("TEA", 1))

    assert client.get(f"/orders/{other.pk}/pay/{attempt.pk}/").status_code == 404

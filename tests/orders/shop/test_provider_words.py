"""No public page, nor the API, shows the raw words of a carrier, a provider or a message's way."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from notifications.channels.deadline import Deadline
from notifications.models import Notification
from orders.models import Order, PaymentAttempt, User
from orders.payments.provider import ProviderDown, ProviderRefused
from orders.payments.test_bank.provider import TestBank
from orders.quotes import basket
from orders.quotes.asking import forget_breakers
from orders.quotes.carrier import Answer, CarrierError, UnreadableAnswerError
from orders.quotes.carriers.pickup import Pickup
from orders.quotes.parcel import Parcel
from orders.quotes.sense import sensible
from project.jobs.queryset import Status
from tests.orders.quotes.fakes import FakeCarrier, said
from tests.orders.shop.pages import ADDRESS, Response, send, text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
RAW = "xq7-raw-words"
"""It is in everything that a provider says."""
LANGUAGES = ["en", "zh-hans"]
NO_PRICE = {"en": "it has no price in our currency", "zh-hans": "没有以本店货币计算的价格"}


class Nonsense(FakeCarrier):
    """A carrier whose services have a price that the shop can't use, or are quoted twice."""

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        usable = said("std", label="Standard")
        return sensible(
            self.name,
            [
                *(usable, usable),
                said(f"{RAW}-1", currency="USD"),
                said(f"{RAW}-2", price=RAW),
                said(f"{RAW}-3", days=RAW),
                said(f"{RAW}-4", price="-1"),
                said(f"{RAW}-5", price="99999"),
            ],
        )


@pytest.fixture(autouse=True)
def providers(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    settings.TANDEM_LOCAL, settings.DATA_DIR = True, tmp_path
    settings.PAYMENT_PROVIDERS = ["test-bank"]
    forget_breakers()
    carriers = [
        Nonsense("odd"),
        FakeCarrier("failing", error=CarrierError(RAW)),
        FakeCarrier("unreadable", error=UnreadableAnswerError(RAW)),
        FakeCarrier("broken", error=RuntimeError(RAW)),
        Pickup(),
    ]
    monkeypatch.setattr(basket, "used_carriers", lambda: carriers)
    yield
    forget_breakers()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_checkout_says_in_its_own_words_which_delivery_is_missing(
    client: Client, form: Response, language: str
) -> None:
    client.cookies["django_language"] = language

    offered = send(client, form, handover="delivery", **ADDRESS)
    chosen = {"handover": "delivery", "delivery": f"odd/{RAW}-1", **ADDRESS}
    part = client.post("/checkout/delivery/", {"handover": "delivery", **ADDRESS})
    refused = send(client, offered, **chosen)

    assert text_of(offered).count(NO_PRICE[language]) == 1
    for carrier in ("odd", "failing", "unreadable", "broken"):
        assert f"<bdi>{carrier}</bdi>" in offered.content.decode()
    assert [RAW in text_of(page) for page in (offered, part)] == [False, False]
    assert NO_PRICE[language] in text_of(refused)
    assert not Order.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", [ProviderDown(RAW), ProviderRefused(RAW)])
def test_no_page_of_an_order_shows_why_a_payment_or_a_message_failed(
    client: Client,
    form: Response,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    error: Exception,
) -> None:
    person = User.objects.create_user("ada", "ada@example.org")
    client.cookies["django_language"] = language
    send(client, form)
    Order.objects.update(user=person)
    client.force_login(person)
    order = Order.objects.get()
    page = f"/orders/{order.pk}/"
    client.post(f"{page}pay/", {"provider": "test-bank"})
    attempt = PaymentAttempt.objects.get()
    PaymentAttempt.objects.update(status="failed", reason=RAW)
    Notification.objects.update(status=Status.FAILED, error=RAW, attempts=9)

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(TestBank, "start", fail)
    monkeypatch.setattr(TestBank, "look", fail)
    shown = [
        client.post(f"{page}pay/", {"provider": "test-bank"}, follow=True),
        client.get(f"{page}pay/{attempt.pk}/", follow=True),
        client.get(page),
        client.get(f"{page}progress/?seen=x"),
        client.get("/accounts/"),
        client.get("/accounts/settings/"),
        client.get(f"/api/v1/orders/{order.pk}"),
    ]

    assert [answer.request["PATH_INFO"] for answer in shown if answer.status_code != 200] == []
    assert [answer.request["PATH_INFO"] for answer in shown if RAW in text_of(answer)] == []


def test_control_the_desk_shows_these_words(
    client: Client, admin_client: Client, form: Response
) -> None:
    send(client, form)
    order = Order.objects.get()
    Notification.objects.update(status=Status.FAILED, error=RAW, attempts=9)

    assert RAW in text_of(admin_client.get(f"/admin/orders/order/{order.pk}/change/"))

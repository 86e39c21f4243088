"""The way to pay: chosen at the checkout or later, told on the order's page and in the message."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle.errors import InvalidTransition, WrongStatus
from orders.lifecycle.expiry import expire_due
from orders.lifecycle.transitions import expire, pack, pay
from orders.models import Order, PaymentAttempt, Product, Stock
from orders.payments.methods import UnknownMethod, choose_method
from orders.payments.provider import ProviderDown
from orders.payments.test_bank.provider import TestBank
from orders.placing.errors import InvalidOrder
from project.conf.payments import BankAccount
from tests.factories import add_product
from tests.order_states import aged, placed
from tests.orders.shop.pages import ADDRESS, add, cart_of, send, text_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
IBAN = "DE02 1203 0000 0000 2020 51"


@pytest.fixture(autouse=True)
def ways(settings, tmp_path: Path) -> None:
    settings.TANDEM_LOCAL = True
    settings.DATA_DIR = tmp_path
    settings.PAYMENT_PROVIDERS = ["test-bank"]
    settings.PAYMENT_ACCOUNT = BankAccount("Tandem Ltd", IBAN.replace(" ", ""), "BYLADEM1001")
    settings.PAYMENT_AT_PICKUP = True
    settings.PAYMENT_DUE_HOURS = 48


@pytest.fixture
def tea(db: None) -> None:
    add_product("TEA", stock=100, price="5.00")


def check_out(client: Client, method: str, **changes: Any) -> Any:
    add(client, "TEA", 2)
    return send(client, client.get("/checkout/"), payment=method, **changes)


def confirmation(order: Order, channel: str = "email") -> Any:
    return render(
        Notification.objects.get(order_id=order.pk, event="order_placed", channel=channel)
    )


def test_placing_leads_to_the_providers_page_in_one_go_and_back_to_the_order(
    client: Client, tea: None
) -> None:
    add(client, "TEA", 2)
    page = client.get("/checkout/")

    answer = send(client, page, payment="test-bank")
    double_click = send(client, page, payment="test-bank")

    order = Order.objects.get()
    attempt = PaymentAttempt.objects.get()
    assert answer.status_code == double_click.status_code == 303
    assert answer["Location"] == double_click["Location"] == attempt.url
    assert client.get("/checkout/")["Location"] == f"/orders/{order.pk}/"  # the browser's Back


def test_a_bank_that_is_down_leaves_an_order_that_can_be_paid_later(
    client: Client, tea: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise ProviderDown("no route")

    monkeypatch.setattr(TestBank, "start", down)

    answer = check_out(client, "test-bank")
    text = text_of(client.get(answer["Location"]))

    assert "Nothing was paid. Please try again." in text
    assert "Pay €10.00: test bank" in text


def test_the_waiting_pages_script_is_not_sent_to_another_site(client: Client, tea: None) -> None:
    answer = check_out(client, "test-bank", script="1")

    assert answer["Location"] == f"/orders/{Order.objects.get().pk}/"
    assert not PaymentAttempt.objects.exists()


def test_a_transfer_has_the_account_on_the_page_and_in_the_message(
    client: Client, tea: None
) -> None:
    answer = check_out(client, "transfer", phone="+491701234567")
    order = Order.objects.get()
    page, mail = text_of(client.get(answer["Location"])), confirmation(order)
    sms = confirmation(order, "sms").text

    for text in (page, mail.text, mail.html):
        assert "Tandem Ltd" in text
        assert IBAN in text
        assert "BYLADEM1001" in text
        assert order.display_number in text
        assert "€10.00" in text
        assert "Please pay by" in text
    assert "We pack your order once the money has arrived." in mail.text
    assert f"€10.00 to pay: {mail.text.split('Follow your order:')[1].split()[0]}" in sms


def test_at_pickup_is_for_what_is_picked_up(client: Client, tea: None) -> None:
    refused = check_out(client, "pickup", handover="delivery", **ADDRESS)
    assert "You can pay at pick-up only what you pick up." in text_of(refused)
    with pytest.raises(InvalidOrder):
        placed(("TEA", 1), address=ADDRESS, payment_method="pickup")

    answer = check_out(Client(), "pickup")

    order = Order.objects.get()
    text = text_of(client.get(answer["Location"]))
    assert "You pay it when you pick your order up." in text
    assert "Please pay by" not in text
    assert "You pay €10.00 when you pick your order up." in confirmation(order).text
    assert "Please pay by" not in confirmation(order).text


def test_who_pays_at_pickup_is_packed_for_and_does_not_expire(tea: None) -> None:
    order = aged(placed(("TEA", 2), payment_method="pickup"))
    other = aged(placed(("TEA", 2), payment_method="transfer"))
    with pytest.raises(WrongStatus):
        pack(order_id=other.pk)

    expire_due()

    assert Order.objects.get(pk=other.pk).status == "cancelled"
    assert pack(order_id=order.pk).status == "packed"
    assert pay(order_id=order.pk, method="cash", reference="1", amount=order.total)
    assert Order.objects.get(pk=order.pk).status == "packed"


def test_who_leaves_pickup_has_the_whole_time_to_pay_and_then_expires(tea: None) -> None:
    order = aged(placed(("TEA", 2), payment_method="pickup"))
    with pytest.raises(InvalidTransition):
        expire(order_id=order.pk, hours=48)
    before = Order.objects.get().changed_at

    choose_method(order_id=order.pk, method="transfer")

    assert Order.objects.get().changed_at > before  # a pass meets it again
    with pytest.raises(InvalidTransition):
        expire(order_id=order.pk, hours=48)
    assert expire(order_id=aged(order).pk, hours=48).status == "cancelled"


def test_the_way_is_changed_on_the_orders_page_while_something_is_due(
    client: Client, tea: None
) -> None:
    order = placed(("TEA", 2), payment_method="test-bank")
    url = f"/orders/{order.pk}/"
    client.post(f"{url}pay/", {"provider": "test-bank"})
    attempt = PaymentAttempt.objects.get()

    client.post(f"{url}method/", {"method": "transfer"})
    text = text_of(client.get(url))
    assert IBAN in text
    assert "Pay €10.00: test bank" in text
    client.post(f"{url}pay/", {"provider": "test-bank"})
    assert Order.objects.get().payment_method == "test-bank"
    assert PaymentAttempt.objects.get() == attempt

    assert client.post(f"{url}method/", {"method": "stripe"}).status_code == 404
    assert client.get(f"{url}method/").status_code == 405
    with pytest.raises(UnknownMethod):
        choose_method(order_id=order.pk, method="")
    pay(order_id=order.pk, method="cash", reference="1", amount=order.total)
    page = client.post(f"{url}method/", {"method": "transfer"}, follow=True)
    assert "Nothing is due any more." in text_of(page)
    assert IBAN not in text_of(page)


def test_with_one_way_only_nobody_has_to_choose(settings, tea: None) -> None:
    settings.PAYMENT_PROVIDERS = []
    assert placed(("TEA", 1), address=ADDRESS).payment_method == "transfer"
    assert placed(("TEA", 1)).payment_method == ""
    assert placed(("TEA", 1), payment_method="pickup").payment_method == "pickup"


def test_a_message_from_before_and_one_about_a_free_order_say_nothing_of_payment(
    tea: None,
) -> None:
    add_product("FREE", stock=9, price="0.00")
    free = placed(("FREE", 1), payment_method="transfer")
    old = placed(("TEA", 1))
    for job in Notification.objects.filter(order_id=old.pk):
        del job.context["payment"], job.context["placed_at"]
        job.save(update_fields=["context"])

    assert free.payment_method == ""
    for order in (free, old):
        mail = confirmation(order)
        assert "How to pay" not in mail.text + mail.html
        assert "Follow your order" in mail.text


def test_ordering_again_fills_the_cart_and_says_what_is_missing(client: Client, tea: None) -> None:
    for sku in ("GONE", "OUT", "FEW"):
        add_product(sku, stock=9, price="1.00")
    order = placed(("TEA", 2), ("GONE", 1), ("OUT", 1), ("FEW", 5))
    Product.objects.filter(sku="GONE").update(is_active=False)
    Stock.objects.filter(product__sku="OUT").update(available=0)
    Stock.objects.filter(product__sku="FEW").update(available=3)

    for _click in range(2):
        page = client.post(f"/orders/{order.pk}/again/", follow=True)

    assert page.redirect_chain == [("/cart/", 302)]
    assert cart_of(client) == {"TEA": 2, "FEW": 3}
    text = text_of(page)
    assert "Your order&#x27;s items are in the cart." in text
    assert "Thing GONE” is no longer on sale." in text
    assert "Thing OUT” is sold out." in text
    assert "Thing FEW”: the cart has what is left." in text
    assert client.get(f"/orders/{order.pk}/again/").status_code == 405

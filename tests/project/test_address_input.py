"""No form has an input that lets the browser rewrite an address before it is sent."""

from typing import Any

import pytest
from django.forms import EmailInput
from django.test import Client
from django.urls import reverse

from notifications.models import Notification
from orders.models import User
from project.address_input import sent_as_typed
from tests.factories import add_product

pytestmark = pytest.mark.django_db


def assert_sent_as_typed(page: Any) -> None:
    text = page.content.decode()
    assert 'inputmode="email"' in text
    assert 'type="email"' not in text


def test_a_widget_for_addresses_becomes_a_text_with_their_keyboard() -> None:
    html = sent_as_typed(EmailInput({"autocomplete": "email"})).render(
        "email", "ada@straße.example"
    )

    assert 'type="text"' in html
    assert 'inputmode="email"' in html
    assert 'autocomplete="email"' in html


@pytest.mark.parametrize(
    "name",
    [
        *("order-find", "account_login", "account_request_login_code"),
        "account_reset_password",
    ],
)
def test_the_forms_for_everybody(name: str, client: Client) -> None:
    assert_sent_as_typed(client.get(reverse(name)))


def test_the_checkout(client: Client) -> None:
    add_product("MUG")
    client.post(reverse("cart"), {"action": "add", "sku": "MUG", "quantity": 1})

    assert_sent_as_typed(client.get(reverse("checkout")))


def test_the_change_of_the_own_address(client: Client) -> None:
    client.force_login(User.objects.create_user("ada", "ada@example.org", "correct horse battery"))

    assert_sent_as_typed(client.get(reverse("account_email")))


def test_a_user_at_the_desk(admin_client: Client, admin_user: User) -> None:
    assert_sent_as_typed(
        admin_client.get(reverse("admin:orders_user_change", args=[admin_user.pk]))
    )


def test_a_message_to_another_recipient(admin_client: Client) -> None:
    message = Notification.objects.create(
        kind="order_placed.email",
        event="order_placed",
        channel="email",
        recipient="ada@example.org",
        status="failed",
    )

    assert_sent_as_typed(
        admin_client.get(reverse("admin:notifications_notification_resend", args=[message.pk]))
    )

"""The link in an order's e-mail tells that its shopper got it; the order's page alone doesn't."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from notifications.delivery.known_numbers import is_known
from notifications.models import Notification
from notifications.outbox import order_messages
from notifications.rendering import render
from orders.models import Order
from orders.placing.mail_mark import is_mail_mark, mail_mark
from orders.placing.message_context import message_context
from tests.factories import make_order

pytestmark = pytest.mark.django_db
PHONE = "+4915112345678"


def messages_of(order: Order, event: str = "order_placed") -> dict[str, Notification]:
    context = message_context(order, order.lines.all()) | {"number": order.display_number}
    messages = order_messages(
        event=event,
        order_id=order.pk,
        context=context,
        email=order.email,
        phone=PHONE,
        language="en",
    )
    return {str(message.channel): message for message in messages}


@pytest.fixture
def needed(settings: Any) -> None:
    settings.SMS_FIRST_NEEDS_EMAIL = True
    settings.SMS_URL = "http://localhost/sms"


@pytest.mark.usefixtures("needed")
@pytest.mark.parametrize("event", ["order_placed", "order_shipped"])
def test_only_the_e_mail_has_the_mark(event: str) -> None:
    order = make_order(phone=PHONE)
    link = f"{order.get_absolute_url()}?mail={mail_mark(order.pk)}"

    messages = messages_of(order, event)

    mail, sms = render(messages["email"]), render(messages["sms"])
    assert link in mail.text
    assert f'{link}"' in mail.html
    assert "mail=" not in sms.text


def test_without_the_setting_links_are_as_they_were(settings: Any) -> None:
    mail = render(messages_of(make_order(phone=PHONE))["email"])

    assert "mail=" not in mail.text + mail.html


def test_the_link_of_the_e_mail_makes_the_number_known(client: Client) -> None:
    order = make_order(phone=PHONE)

    client.get(order.get_absolute_url())
    client.get(order.get_absolute_url(), {"mail": "0" * 24})
    assert not is_known(PHONE)

    assert client.get(order.get_absolute_url(), {"mail": mail_mark(order.pk)}).status_code == 200
    assert is_known(PHONE)


def test_a_mark_is_the_orders_own_and_outlives_a_new_secret_key(settings: Any) -> None:
    order, other = make_order(), Order(id=uuid4())
    mark = mail_mark(order.pk)
    assert not is_mail_mark(other.pk, mark)
    assert not is_mail_mark(order.pk, "ü")

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"

    assert is_mail_mark(order.pk, mark)
    assert mail_mark(order.pk) != mark

from typing import Any
from uuid import uuid4

import pytest

from notifications.outbox import order_messages

ORDER: dict[str, Any] = {
    "event": "order_placed",
    "order_id": uuid4(),
    "language": "en",
    "context": {},
}


def test_an_order_with_a_phone_gets_an_email_and_an_sms(settings):
    settings.SMS_URL = "http://gateway.example/sms"

    messages = order_messages(**ORDER, email="a@example.org", phone="+4915112345678")

    assert [(m.kind, m.channel, m.recipient) for m in messages] == [
        ("order_placed.email", "email", "a@example.org"),
        ("order_placed.sms", "sms", "+4915112345678"),
    ]
    assert {m.order_id for m in messages} == {ORDER["order_id"]}


def test_an_order_without_a_phone_gets_only_its_email():
    [message] = order_messages(**ORDER, email="a@example.org", phone="")

    assert message.channel == "email"


def test_without_a_gateway_nothing_is_promised_by_sms(settings):
    settings.SMS_URL = ""

    [message] = order_messages(**ORDER, email="a@example.org", phone="+4915112345678")

    assert message.channel == "email"


def test_messages_are_made_without_asking_the_database(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        order_messages(**ORDER, email="a@example.org", phone="+4915112345678")


def test_an_event_that_nobody_described_is_refused():
    with pytest.raises(KeyError):
        order_messages(**ORDER | {"event": "moon_landing"}, email="a@example.org", phone="")

"""The texts of the messages about an order's later steps."""

from typing import Any

import pytest

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.rendering import Wording, render
from tests.notifications.order_context import CONTEXT

DETAILS: dict[str, dict[str, Any]] = {
    "order_media_ready": {},
    "order_paid": {"amount": "1234.50"},
    "order_shipped": {"carrier": "DHL", "tracking_number": "JD01"},
    "order_delivered": {},
    "order_cancelled": {"reason": "broken in store", "given_back": "1234.50", "by_shopper": False},
    "order_refunded": {
        "amount": "617.25",
        "reason": "chipped",
        "items": [{"sku": "TEA-1", "name": "Green <tea>", "quantity": 1}],
    },
}
ITEMS = [{"sku": "TEA-1", "name": "Green <tea>", "quantity": 1}]
DETAILS |= {
    "order_return_requested": {"reason": "too small", "items": ITEMS},
    "order_return_accepted": {"reason": "", "items": ITEMS, "send_to": ["Tea Ltd", "Am Kai 1"]},
    "order_return_refused": {"reason": "worn", "items": ITEMS},
    "order_return_withdrawn": {"reason": "", "items": ITEMS},
    "order_return_received": {"reason": "", "items": ITEMS, "amount": "617.25"},
}
BY_CHANNEL = [(event, channel.value) for event in DETAILS for channel in EVENTS[event].channels]


def wording(event: str, channel: str = "email", *, language: str = "en", **context) -> Wording:
    return render(
        Notification(
            event=event,
            channel=channel,
            language=language,
            context=CONTEXT | DETAILS[event] | context,
        )
    )


@pytest.mark.parametrize(("event", "channel"), BY_CHANNEL)
def test_each_names_the_order_and_where_to_look(event: str, channel: str) -> None:
    said = wording(event, channel)

    assert "T1001" in said.text
    assert "http://localhost:8000/orders/0d9f/" in said.text
    assert ("T1001" in said.subject) == (channel == "email")
    assert ("T1001" in said.html) == (channel == "email")


@pytest.mark.parametrize(("event", "channel"), BY_CHANNEL)
def test_each_speaks_chinese_throughout(event: str, channel: str) -> None:
    said = wording(event, channel, language="zh-hans")

    for part in (said.subject, said.text, said.html):
        for english in ("order T1001", "Hello", "Your order", "give back", "Reason", "Tracking"):
            assert english not in part


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("order_paid", ["your payment of €1,234.50", "2 × Green tea"]),
        ("order_shipped", ["to DHL", "Tracking number: JD01"]),
        ("order_delivered", ["has arrived"]),
        ("order_media_ready", ["is ready for printing", "The order's page shows"]),
        ("order_cancelled", ["Reason: broken in store", "We give back €1,234.50"]),
        ("order_refunded", ["give back €617.25", "Reason: chipped", "1 × Green <tea>"]),
        ("order_return_requested", ["Please wait for our answer", "too small", "1 × Green <tea>"]),
        ("order_return_accepted", ["you can return", "Send it to:\nTea Ltd\nAm Kai 1"]),
        ("order_return_refused", ["can't take back", "Reason: worn", "1 × Green <tea>"]),
        ("order_return_withdrawn", ["stay yours", "1 × Green <tea>"]),
        ("order_return_received", ["have come back to us. We give back €617.25."]),
    ],
)
def test_each_tells_its_facts(event: str, facts: list[str]) -> None:
    text = wording(event).text

    for fact in facts:
        assert fact in text


def test_what_there_is_not_is_not_told() -> None:
    cancelled = wording("order_cancelled", reason="", given_back="", by_shopper=True).text
    shipped = wording("order_shipped", tracking_number="").text

    assert "as you wished, we cancelled your order T1001" in cancelled
    assert "Reason" not in cancelled
    assert "give back" not in cancelled
    assert "Tracking number" not in shipped


def test_names_are_escaped_in_html() -> None:
    assert "Green &lt;tea&gt;" in wording("order_refunded").html

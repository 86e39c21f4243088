"""The payloads of docs/webhooks.md are those that the shop writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from notifications.handler import NotificationHandler
from notifications.models import Notification, WebhookDelivery
from notifications.webhooks.events import EVENTS, TEST
from notifications.webhooks.switches import send_test
from orders.lifecycle.corrections import correct_contact
from orders.lifecycle.payouts import pay_out
from orders.lifecycle.returns import accept, refuse, withdraw
from orders.lifecycle.transitions import cancel, correct_parcel
from orders.messages.low_stock import notify_low_stock
from orders.models import Order, Product, Refund, Stock
from project.jobs.run import failing
from tests.factories import add_product
from tests.notifications.webhooks.receiver import endpoint_at
from tests.order_states import (
    ADDRESS,
    ask_return,
    delivered,
    paid,
    pay_part,
    placed,
    receive_return,
    refund_order,
    shipped,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

PAGE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
ROW = re.compile(r"^\| `([a-z_.]+)` \| [^|]*\| ([a-z]+) \| ([^|]*)\|$", re.MULTILINE)
EXAMPLE = re.compile(r"^```json ([a-z]+)( thin)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHAPES = {event: shape for event, shape, _detail in ROW.findall(PAGE)}
DETAILS = {
    event: set(re.findall(r"`(\w+)`", detail)) for event, _shape, detail in ROW.findall(PAGE)
}
EXAMPLES = {(shape, bool(thin)): json.loads(text) for shape, thin, text in EXAMPLE.findall(PAGE)}
SOME = {"order.cancelled": {"by_shopper", "expired"}}
"""Names of details of which an event has one."""
NOT_MADE = {"order.overpaid", "order.payment_undone", "order.payment_checked", "order.media_ready"}
"""Events that this test doesn't make happen: their shape is that of all orders' events."""


def told(*, is_thin: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the data of each event that something happening at a shop tells."""
    endpoint = endpoint_at("https://hooks.example/", events=list(EVENTS), is_thin=is_thin)
    send_test(endpoint.pk)
    add_product("TEA", stock=1000, price="9.90")
    _walk_orders()
    Stock.objects.update(available=1)
    notify_low_stock()
    Stock.objects.update(available=1000)
    notify_low_stock()
    Product.objects.update(price="2.75")
    job = Notification.objects.filter(channel="email").exclude(order_id=None)[0]
    claimed = Notification.objects.claim(job.pk)
    with failing(NotificationHandler(), claimed):
        Notification.objects.fail(claimed, "550 no such user")
    for delivery in WebhookDelivery.objects.filter(endpoint=endpoint):
        yield delivery.kind, delivery.context["data"]


def _walk_orders() -> None:
    pay_part(placed())
    cancel(order_id=paid().pk, reason="broken")
    refund_order(paid().pk, {"TEA": 1})
    refund_order(paid().pk)
    sent = shipped()
    correct_parcel(order_id=sent.pk, carrier="UPS", tracking_number="1Z")
    refuse(return_id=ask_return(delivered()).pk, answer="Used.")
    withdraw(return_id=ask_return(delivered()).pk)
    receive_return(accept(return_id=ask_return(delivered()).pk), {"TEA": 1})
    wrong: Order = placed()
    correct_contact(
        order_id=wrong.pk, name="Ada King", email=wrong.email, phone=wrong.phone, address={}
    )
    pay_out(refund_id=Refund.objects.all()[0].pk, reference=str(uuid4()))


def assert_same_shape(shown: Any, sent: Any, *, where: str) -> None:
    assert type(shown) is type(sent), where
    if isinstance(shown, dict) and not where.endswith(("detail", "address")):
        assert set(shown) == set(sent), where
        for name in shown:
            assert_same_shape(shown[name], sent[name], where=f"{where} {name}")
    elif isinstance(shown, list):
        assert_same_shape(shown[0], sent[0], where=where)


def test_each_event_has_its_row_and_each_shape_its_examples() -> None:
    assert list(SHAPES) == [*EVENTS, TEST]
    assert {shape for shape, _thin in EXAMPLES} == set(SHAPES.values())
    thin = {shape for shape, is_thin in EXAMPLES if is_thin}
    assert thin == set(SHAPES.values()) - {"test"}


@pytest.mark.parametrize("is_thin", [False, True])
def test_what_is_told_has_the_shape_that_the_page_shows(is_thin: bool) -> None:
    events = list(told(is_thin=is_thin))

    assert {name for name, _data in events} == {*EVENTS, TEST} - NOT_MADE
    for name, data in events:
        shape = SHAPES[name]
        shown = EXAMPLES.get((shape, is_thin)) or EXAMPLES[(shape, False)]
        if name == "order.placed":
            shown = {key: value for key, value in shown.items() if key != "detail"}
        assert_same_shape(shown, data, where=name)
        if not is_thin and shape == "order":
            some = SOME.get(name, set())
            detail = set(data.get("detail", ()))
            assert detail - some == DETAILS[name] - some, name
            assert len(detail & some) == (1 if some else 0), name


def test_an_example_of_an_address_is_one_that_an_order_can_have() -> None:
    assert EXAMPLES["order", False]["address"] == ADDRESS

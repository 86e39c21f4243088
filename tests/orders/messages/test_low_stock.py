"""The staff hear of a product that is low, once per fall."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from notifications.models import Notification
from notifications.rendering import render
from orders.messages import low_stock
from orders.messages.low_stock import notify_low_stock
from orders.models import Product, Stock, User
from tests.factories import add_product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(settings: Any) -> None:
    settings.STAFF_EMAILS = ["boss@example.org"]
    settings.LOW_STOCK_UNITS = 5


def told() -> list[str]:
    """The products of each message."""
    messages: Any = Notification.objects.filter(event="low_stock").order_by("created_at")
    return [",".join(p["sku"] for p in message.context["products"]) for message in messages]


def set_stock(sku: str, units: int) -> None:
    Stock.objects.filter(product__sku=sku).update(available=units)


def test_a_product_at_its_threshold_is_told_once() -> None:
    add_product("MUG", stock=5), add_product("TEA", stock=6)

    assert notify_low_stock() == {"fell": 1}
    set_stock("MUG", 2)
    assert notify_low_stock() == {"fell": 0}

    assert told() == ["MUG"]


def test_it_is_told_again_only_after_it_rose_above() -> None:
    add_product("MUG", stock=5)
    notify_low_stock()

    set_stock("MUG", 6)
    notify_low_stock()
    set_stock("MUG", 4)
    notify_low_stock()

    assert told() == ["MUG", "MUG"]


def test_a_product_has_its_own_threshold_and_what_is_not_on_sale_none() -> None:
    mug, _hidden = add_product("MUG", stock=9), add_product("OLD", stock=0, active=False)
    Product.objects.filter(pk=mug.pk).update(low_stock=10)

    notify_low_stock()

    assert told() == ["MUG"]


def test_one_message_to_each_names_all_that_fell_in_their_language(settings: Any) -> None:
    settings.STAFF_EMAILS = ["boss@example.org", "Wang@example.org", "boss@example.org"]
    User.objects.create(username="wang", email="wang@example.org", language="zh-hans")
    add_product("MUG", stock=1), add_product("TEA", stock=0)

    notify_low_stock()

    messages: Any = Notification.objects.filter(event="low_stock").order_by("recipient")
    assert {message.recipient: message.language for message in messages} == {
        "Wang@example.org": "zh-hans",
        "boss@example.org": "en",
    }
    english = render(messages.get(language="en"))
    assert english.subject == "Low stock: 2 products"
    assert english.text.index("0 × Thing TEA (TEA)") < english.text.index("1 × Thing MUG (MUG)")


def test_without_staff_nobody_is_told_and_nothing_is_noted(settings: Any) -> None:
    settings.STAFF_EMAILS = []
    add_product("MUG", stock=1)

    notify_low_stock()
    settings.STAFF_EMAILS = ["boss@example.org"]
    notify_low_stock()

    assert told() == ["MUG"]


def looked_twice_at_once() -> None:
    together = threading.Barrier(2)

    def look() -> None:
        try:
            together.wait(timeout=30)
            notify_low_stock()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as looks:
        for answer in [looks.submit(look), looks.submit(look)]:
            answer.result(timeout=60)


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_tell_once() -> None:
    add_product("MUG", stock=1)

    looked_twice_at_once()

    assert told() == ["MUG"]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_row_each_look_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = "SELECT product_id FROM orders_stock WHERE available <= %(units)s"
    monkeypatch.setattr(low_stock, "_INSERT_FALLEN", forgetful)
    add_product("MUG", stock=1)

    looked_twice_at_once()

    assert told() == ["MUG", "MUG"]

"""The contract of place_order, for one caller at a time."""

from decimal import Decimal
from threading import Event, Thread
from time import monotonic

import pytest
from django.db import connection, transaction
from django.test import override_settings

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    Product,
    ProductSales,
    SalesEntry,
    Stock,
    StockMovement,
)
from orders.placing.errors import InvalidOrder, KeyReused, OutOfStock, TotalChanged
from orders.placing.placement import place_order
from project.jobs.bell import Bell
from project.monitoring.audit import run_audit
from tests.factories import add_product, order_request

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@override_settings(SMS_URL="http://127.0.0.1:1/sms")
def test_an_order_exists_with_its_lines_stock_sales_event_and_jobs() -> None:
    tea, cup = (
        add_product("TEA", stock=10, price="4.20"),
        add_product("CUP", stock=5, price="7.00"),
    )

    placed = place_order(order_request(("TEA", 3), ("CUP", 1), phone="+4930123456"))

    order = Order.objects.get(pk=placed.order.pk)
    assert not placed.replayed
    assert (order.status, order.items_total, order.total) == (
        "placed",
        Decimal("19.60"),
        Decimal("19.60"),
    )
    assert list(order.lines.values_list("sku", "name", "quantity", "unit_price", "total")) == [
        ("TEA", "Thing TEA", 3, Decimal("4.20"), Decimal("12.60")),
        ("CUP", "Thing CUP", 1, Decimal("7.00"), Decimal("7.00")),
    ]
    assert Stock.objects.get(product=tea).available == 7
    assert Stock.objects.get(product=cup).available == 4
    assert sorted(StockMovement.objects.values_list("product__sku", "quantity", "kind")) == [
        ("CUP", -1, "order"),
        ("TEA", -3, "order"),
    ]
    assert ProductSales.objects.get(product=tea).units == 3
    assert ProductSales.objects.get(product=tea).amount == Decimal("12.60")
    assert OrderEvent.objects.get(order=order).kind == "placed"
    messages = Notification.objects.filter(order_id=order.pk)
    assert sorted(messages.values_list("kind", "recipient", "status")) == [
        ("order_placed.email", "ada@example.org", "queued"),
        ("order_placed.sms", "+4930123456", "queued"),
    ]
    picture = MediaJob.objects.get(order_id=order.pk)
    assert (picture.kind, picture.status) == ("pickup_pass", "queued")
    assert picture.context["number"] == order.display_number
    assert picture.context["lines"][0]["unit_price"] == "4.20"
    assert run_audit().is_clean


def test_the_jobs_of_an_order_have_time_ordered_keys() -> None:
    add_product("TEA")

    order = place_order(order_request(("TEA", 1))).order

    keys = [job.pk for model in (Notification, MediaJob) for job in model.objects.all()]
    assert [key.version for key in keys] == [7, 7]
    assert order.pk.version == 4


def test_the_returned_order_is_what_the_database_holds() -> None:
    add_product("TEA")

    returned = place_order(order_request(("TEA", 1), address={"city": "Köln"})).order

    stored = Order.objects.get(pk=returned.pk)
    for field in Order._meta.concrete_fields:
        assert getattr(returned, field.attname) == getattr(stored, field.attname), field.name


def test_placing_inside_a_transaction_is_refused() -> None:
    add_product("TEA")

    with pytest.raises(RuntimeError, match="outside any transaction"), transaction.atomic():
        place_order(order_request(("TEA", 1)))

    assert not Order.objects.exists()


def test_a_repeat_gets_its_order_whatever_happened_to_the_product() -> None:
    product = add_product("TEA", stock=1)
    request = order_request(("TEA", 1))
    first = place_order(request)
    Product.objects.filter(pk=product.pk).update(price="99.00", is_active=False)

    again = place_order(request)

    assert again.replayed
    assert again.order.pk == first.order.pk
    assert Order.objects.count() == 1
    assert Stock.objects.get().available == 0


def test_one_sku_on_two_lines_is_the_same_order_as_on_one() -> None:
    add_product("TEA")
    request = order_request(("TEA", 1), ("TEA", 2))

    place_order(request)
    again = place_order(order_request(("TEA", 3), key=request.key))

    assert again.replayed
    assert OrderLine.objects.get().quantity == 3


def test_another_order_under_the_same_key_is_refused() -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))
    first = place_order(request)

    with pytest.raises(KeyReused) as refusal:
        place_order(order_request(("TEA", 2), key=request.key))

    assert refusal.value.order_id == first.order.pk
    assert Stock.objects.get().available == 99


def test_a_repeat_is_found_after_the_secret_was_rotated(settings) -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))
    first = place_order(request)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-that-is-long-enough-to-be-one-0123456789"

    again = place_order(request)

    assert again.replayed
    assert again.order.pk == first.order.pk


def test_the_same_key_of_two_users_or_doors_makes_two_orders() -> None:
    add_product("TEA")
    request = order_request(("TEA", 1))

    place_order(request)
    place_order(order_request(("TEA", 1), key=request.key, source=Order.Source.SHOP))

    assert Order.objects.count() == 2


def test_all_lines_are_had_or_none() -> None:
    add_product("TEA", stock=10)
    add_product("CUP", stock=1)

    with pytest.raises(OutOfStock) as refusal:
        place_order(order_request(("TEA", 2), ("CUP", 3)))

    shortage = refusal.value.items[0]
    assert (shortage.sku, shortage.requested, shortage.available) == ("CUP", 3, 1)
    assert set(Stock.objects.values_list("available", flat=True)) == {10, 1}
    for model in (Order, OrderLine, StockMovement, SalesEntry, Notification, MediaJob):
        assert not model.objects.exists(), model.__name__


def test_a_refusal_is_not_remembered() -> None:
    add_product("TEA", stock=1)
    request = order_request(("TEA", 2))
    with pytest.raises(OutOfStock):
        place_order(request)
    Stock.objects.update(available=5, initial=5)

    assert not place_order(request).replayed


def test_a_changed_price_is_told_with_the_new_total() -> None:
    add_product("TEA", price="2.50")

    with pytest.raises(TotalChanged) as refusal:
        place_order(order_request(("TEA", 2), expected_total=Decimal("4.00")))

    assert refusal.value.total == Decimal("5.00")
    assert not Order.objects.exists()


@pytest.mark.parametrize("sku", ["NONE", "GONE"])
def test_an_unknown_or_inactive_product_is_named(sku: str) -> None:
    add_product("TEA")
    add_product("GONE", active=False)

    with pytest.raises(InvalidOrder) as refusal:
        place_order(order_request(("TEA", 1), (sku, 1)))

    assert [error.field for error in refusal.value.errors] == ["lines.1.sku"]
    assert not Order.objects.exists()


def test_lines_of_one_sku_that_add_up_to_too_many_are_named() -> None:
    add_product("TEA", stock=5000)

    with pytest.raises(InvalidOrder) as refusal:
        place_order(order_request(("TEA", 999), ("TEA", 1)))

    assert {error.field for error in refusal.value.errors} == {
        "lines.0.quantity",
        "lines.1.quantity",
    }


def test_an_order_that_is_delivered_gets_no_pickup_pass() -> None:
    add_product("TEA")
    address = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1 7HH", "country": "GB"}

    order = place_order(order_request(("TEA", 1), address=address)).order

    assert not MediaJob.objects.filter(order_id=order.pk).exists()
    assert Notification.objects.filter(order_id=order.pk).exists()


def test_an_order_rings_the_relays_bell_when_it_commits() -> None:
    add_product("TEA")
    listens, waits = Event(), list[float]()

    def hear() -> None:
        bell = Bell()
        bell.wait(0.0)
        listens.set()
        began = monotonic()
        bell.wait(20.0)
        waits.append(monotonic() - began)
        connection.close()

    relay = Thread(target=hear)
    relay.start()
    assert listens.wait(10)
    place_order(order_request(("TEA", 1)))
    relay.join()

    assert waits[0] < 15

"""Which transaction writes the deliveries of which event; each with a real endpoint's row."""

from decimal import Decimal
from typing import Any

import pytest

from notifications.handler import NotificationHandler
from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from notifications.webhooks.endpoint_secrets import new_secret, sealed
from notifications.webhooks.events import EVENTS, ORDER_EVENTS
from notifications.webhooks.kinds import body_of
from orders.catalogue.products import create_product
from orders.lifecycle.payouts import pay_out
from orders.lifecycle.returns import accept
from orders.lifecycle.transitions import cancel, deliver, pay, ship
from orders.messages.low_stock import notify_low_stock
from orders.models import Category, Order, OrderEvent, Product, Refund, Stock
from orders.placing import order_rows
from orders.placing.errors import PlacementFailed
from orders.placing.placement import place_order
from project.jobs.dispatch import bury
from project.jobs.queryset import MAX_LOST, Status
from project.jobs.run import failing
from tests.factories import add_product, order_request
from tests.order_states import ask_return, delivered, packed, receive_return

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])
NOT_TOLD = {OrderEvent.Kind.SENT_AGAIN, OrderEvent.Kind.PAID_OUT}
"""Kinds of entries that tell other systems nothing new, or have an event of their own."""


@pytest.fixture
def listens() -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        name="all", url="https://hooks.example/", events=list(EVENTS), secret=sealed(new_secret())
    )


def told() -> list[str]:
    return list(WebhookDelivery.objects.order_by("position").values_list("kind", flat=True))


def place(*lines: tuple[str, int]) -> Order:
    place_order(order_request(*lines))
    return Order.objects.get()


def data(kind: str) -> dict[str, Any]:
    return WebhookDelivery.objects.get(kind=kind).context["data"]


def test_there_is_an_event_for_each_step():
    assert set(ORDER_EVENTS) == {
        f"order.{kind}" for kind in OrderEvent.Kind if kind not in NOT_TOLD
    }


def test_a_placed_order_is_told_with_its_lines_and_number(listens):
    add_product("MUG", price="9.90")

    order = place(("MUG", 2))

    [delivery] = WebhookDelivery.objects.all()
    assert (delivery.kind, delivery.order_id) == ("order.placed", order.pk)
    about = delivery.context["data"]
    assert about["number"] == order.display_number
    assert (about["id"], about["status"]) == (str(order.pk), "placed")
    assert about["total"] == str(order.total)
    assert [(line["sku"], line["quantity"]) for line in about["lines"]] == [("MUG", 2)]


def test_a_repeat_of_an_order_tells_nothing_more(listens):
    add_product("MUG")
    request = order_request(("MUG", 1))

    place_order(request)
    place_order(request)

    assert told() == ["order.placed"]


def test_filters_hold_for_placed_orders(listens):
    add_product("MUG", price="9.90")
    WebhookEndpoint.objects.update(minimum=10)

    place_order(order_request(("MUG", 1)))
    assert told() == []
    place_order(order_request(("MUG", 2)))
    assert told() == ["order.placed"]


def test_each_step_is_told_after_the_one_before(listens):
    add_product("MUG")
    order = packed(("MUG", 1))
    ship(order_id=order.pk, carrier="DHL", tracking_number="X1")
    deliver(order_id=order.pk)

    steps = ["placed", "paid", "packed", "shipped", "delivered"]
    assert told() == [f"order.{step}" for step in steps]
    assert data("order.shipped")["detail"]["tracking_number"] == "X1"
    assert data("order.shipped")["status"] == "shipped"


def test_money_that_is_owed_and_paid_out_is_told(listens):
    add_product("MUG")
    order = place(("MUG", 1))
    pay(order_id=order.pk, method="cash", reference="1", amount=order.total)
    cancel(order_id=order.pk, reason="broken")

    refund = Refund.objects.get()
    pay_out(refund_id=refund.pk, reference="T-1")
    pay_out(refund_id=refund.pk, reference="T-1")

    assert told()[2:] == ["refund.owed", "order.cancelled", "refund.paid_out"]
    assert data("refund.owed")["amount"] == str(order.total)
    assert data("refund.paid_out")["payout_reference"] == "T-1"


def test_low_stock_and_its_end_are_told_once_each(listens, settings):
    settings.STAFF_EMAILS = []
    product = add_product("MUG", stock=2)

    notify_low_stock()
    notify_low_stock()
    Stock.objects.filter(product=product).update(available=100)
    notify_low_stock()
    notify_low_stock()

    assert told() == ["stock.low", "stock.back"]
    assert data("stock.back") == {"sku": "MUG", "name": product.name, "available": 100}


def test_a_new_product_is_told(listens):
    category = Category.objects.create(name="Cups", slug="cups")

    create_product(sku="CUP", name="Cup", slug="cup", category=category, price=Decimal("3.00"))

    assert data("product.changed")["changed"] == ["created"]


@pytest.mark.parametrize("way", ["save", "update", "bulk_update"])
def test_a_changed_product_is_told_whatever_changed_it(listens, way):
    product = add_product("MUG", price="2.50")
    product.price = "2.75"

    if way == "save":
        product.save()
    elif way == "update":
        Product.objects.update(price="2.75")
    else:
        Product.objects.bulk_update([product], ["price"])

    about = data("product.changed")
    assert (about["sku"], about["price"], about["changed"]) == ("MUG", "2.75", ["price"])


def test_an_update_that_changes_nothing_is_not_told(listens):
    add_product("MUG", price="2.50").save()

    assert told() == []


def test_filters_and_thin_payloads_hold_for_products(listens):
    WebhookEndpoint.objects.update(skus=["CUP"], is_thin=True)
    add_product("MUG")
    add_product("CUP")

    Product.objects.update(price="2.75")

    assert data("product.changed") == {"sku": "CUP"}


def test_no_thin_payload_leads_to_a_person(listens, settings):
    """The order's id opens its page without a login, so it counts as the person."""
    WebhookEndpoint.objects.update(is_thin=True)
    add_product("MUG")
    order = delivered(("MUG", 2))
    asked = ask_return(order, {"MUG": 1}, reason="It hums.")
    receive_return(accept(return_id=asked.pk), {"MUG": 1})
    pay_out(refund_id=Refund.objects.get().pk, reference="T-1")
    for job in Notification.objects.filter(order_id=order.pk, channel="email"):
        claimed = Notification.objects.claim(job.pk)
        with failing(NotificationHandler(), claimed):
            Notification.objects.fail(claimed, "550 no such user")

    bodies = {each.kind: body_of(each) for each in WebhookDelivery.objects.all()}

    assert {"order.placed", "order.return_requested", "refund.owed"} <= bodies.keys()
    assert {"refund.paid_out", "message.failed"} <= bodies.keys()
    secrets = [str(order.pk), order.pk.hex, "@", order.name, "hums"]
    assert not [(kind, word) for kind, body in bodies.items() for word in secrets if word in body]
    url = f"{settings.SITE_URL}/api/v1/orders/{order.display_number}"
    assert data("order.paid") == {"number": order.display_number, "url": url}
    assert data("refund.owed")["url"] == url
    assert {
        each.context["data"]["order"]
        for each in WebhookDelivery.objects.filter(kind="message.failed")
    } == {order.display_number}


def message() -> Notification:
    job = Notification.objects.create(
        kind="sign_in_code.email", event="sign_in_code", channel="email", recipient="a@example.org"
    )
    claimed: Notification = Notification.objects.claim(job.pk)
    return claimed


def test_a_message_that_failed_for_good_is_told(listens):
    job = message()
    with failing(NotificationHandler(), job):
        Notification.objects.fail(job, "550 no such user")

    assert data("message.failed")["recipient"] == "a@example.org"


def test_one_that_will_be_tried_again_is_not(listens):
    job = message()
    with failing(NotificationHandler(), job):
        Notification.objects.retry_later(job, "busy")

    assert told() == []


def test_one_that_killed_its_workers_is_told(listens):
    job = message()
    Notification.objects.filter(pk=job.pk).update(
        lost=MAX_LOST - 1, lease_until="2020-01-01T00:00Z"
    )

    assert bury(Notification) == 1

    assert Notification.objects.get().status == Status.FAILED
    assert told() == ["message.failed"]


def test_without_an_endpoint_placing_makes_no_further_statement(monkeypatch):
    """The statement that writes the orders says that nobody listens."""
    monkeypatch.setattr(order_rows, "tell_placed", lambda *a: pytest.fail("asked who listens"))
    add_product("MUG")

    place_order(order_request(("MUG", 1)))

    assert told() == []


def test_an_order_whose_batch_is_rolled_back_tells_nothing(listens, monkeypatch):
    write = order_rows.tell_placed

    def fails(*values):
        write(*values)
        raise ValueError("after the deliveries")

    monkeypatch.setattr(order_rows, "tell_placed", fails)
    add_product("MUG")

    with pytest.raises(PlacementFailed):
        place_order(order_request(("MUG", 1)))

    assert (told(), Order.objects.count()) == ([], 0)

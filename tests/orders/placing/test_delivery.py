"""Orders with a delivery: priced by a quote, frozen with it, and repeated without a carrier."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from orders.models import KeptAnswer, Order
from orders.placing.errors import DeliveryChanged, InvalidOrder, KeyReused, TotalChanged
from orders.placing.placement import place_order
from orders.placing.request import ChosenDelivery, OrderRequest
from orders.quotes import basket
from orders.quotes.asking import forget_breakers
from orders.quotes.carrier import CarrierError
from orders.quotes.carriers.by_weight import ByWeight
from orders.quotes.carriers.pickup import Pickup
from project.monitoring.audit import run_audit
from tests.factories import add_product, new_key, order_request
from tests.orders.quotes.fakes import FakeCarrier

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

BERLIN = {"line1": "Unter den Linden 1", "city": "Berlin", "postcode": "10117", "country": "DE"}


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> FakeCarrier:
    """The shop's carriers: this one, one by weight, and pick-up; and a mug of 400 g."""
    forget_breakers()
    carrier = FakeCarrier("remote", price="5.00")
    own = ByWeight([(1000, Decimal("4.00"))], days=2)
    monkeypatch.setattr(basket, "used_carriers", lambda: [carrier, own, Pickup()])
    add_product("MUG", price="10.00", weight=400)
    return carrier


def wanted(carrier: str, service: str, quantity: int = 2, **changes: Any) -> OrderRequest:
    values = {"address": BERLIN, "delivery": ChosenDelivery(carrier, service)} | changes
    return order_request(("MUG", quantity), **values)


def test_an_order_freezes_its_quote_and_a_repeat_asks_nobody(remote: FakeCarrier) -> None:
    request = wanted("remote", "std", expected_total=Decimal("25.00"))
    first = place_order(request)
    KeptAnswer.objects.all().delete()
    remote.price = "8.00"

    again = place_order(request)

    order = Order.objects.get()
    assert again.replayed
    assert first.order.pk == again.order.pk == order.pk
    assert len(remote.asked) == 1
    assert (order.delivery_total, order.total) == (Decimal("5.00"), Decimal("25.00"))
    assert order.delivery == {
        "carrier": "remote", "service": "std", "label": "remote std", "days": 2,
    }  # fmt: skip
    context = Notification.objects.get().context
    assert (context["delivery_total"], context["delivery_label"]) == ("5.00", "remote std")
    assert run_audit().is_clean
    # An update may understand old orders in another way: their rows say it, too.
    Order.objects.update(fingerprint="0" * 64)
    assert place_order(request).replayed
    for other in (None, ChosenDelivery("by-weight", "parcel")):
        with pytest.raises(KeyReused):
            place_order(wanted("remote", "std", key=request.key, delivery=other))


def test_the_kept_quote_is_the_orders_and_an_old_one_is_quoted_again(remote: FakeCarrier) -> None:
    basket.quotes_for(address=BERLIN, quantities={"MUG": 2})
    remote.price = "6.00"
    assert place_order(wanted("remote", "std")).order.delivery_total == Decimal("5.00")

    KeptAnswer.objects.all().delete()
    with pytest.raises(TotalChanged) as changed:
        place_order(wanted("remote", "std", expected_total=Decimal("25.00")))

    assert changed.value.total == Decimal("26.00")
    assert place_order(wanted("remote", "std")).order.delivery_total == Decimal("6.00")


def test_what_is_not_quoted_is_refused_and_nothing_is_taken(remote: FakeCarrier) -> None:
    remote.error = CarrierError("503")
    for request in (wanted("remote", "std"), wanted("by-weight", "parcel", quantity=3)):
        with pytest.raises(DeliveryChanged) as changed:
            place_order(request)
        assert changed.value.reason
    with pytest.raises(DeliveryChanged):
        place_order(wanted("by-weight", "express"))
    for request in (
        wanted("nobody", "std"),
        wanted("remote", "std", address={}),
        wanted("pickup", "shop"),
    ):
        with pytest.raises(InvalidOrder) as invalid:
            place_order(request)
        assert [error.field for error in invalid.value.errors] == ["delivery.carrier"]
    assert not Order.objects.exists()


def test_a_refusal_of_the_delivery_is_not_remembered(remote: FakeCarrier) -> None:
    key = new_key()
    remote.error = CarrierError("503")
    with pytest.raises(DeliveryChanged):
        place_order(wanted("remote", "std", key=key))
    remote.error = None

    assert not place_order(wanted("remote", "std", key=key)).replayed


def test_pickup_costs_nothing_and_has_its_pass(remote: FakeCarrier) -> None:
    order = place_order(wanted("pickup", "shop", address={}, language="zh-hans")).order

    assert (order.delivery_total, order.delivery["carrier"]) == (Decimal("0.00"), "pickup")
    assert order.delivery["label"] != "Pick up in the shop"  # in the order's language
    assert remote.asked == []


def test_an_order_costs_the_same_queries_with_our_own_carrier_and_without(
    remote: FakeCarrier,
) -> None:
    """Without the writers' statements, which have connections of their own."""
    counts = []
    for request in (wanted("by-weight", "parcel"), wanted("", "", delivery=None)):
        with CaptureQueriesContext(connection) as queries:
            place_order(request)
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_total": Decimal("-1.00"), "total": Decimal("19.00")},
        {"delivery_total": Decimal("1.00"), "total": Decimal("21.00"), "delivery": {}},
        {"delivery": {"carrier": "remote"}},
    ],
)
def test_the_database_holds_what_a_delivery_is(
    remote: FakeCarrier, changes: dict[str, Any]
) -> None:
    place_order(wanted("by-weight", "parcel"))

    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.update(**changes)

"""Holding units and giving them back: nobody else gets them, and the order that names them does."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now

from orders.holds import holding
from orders.holds.expiry import give_back_expired
from orders.holds.holding import HoldsAreOff, Units, give_back, hold
from orders.holds.limit import TooManyHolds
from orders.models import Hold, HoldLine, Order, Stock
from orders.placing.errors import InvalidOrder, KeyReused, OutOfStock
from orders.placing.placement import place_order
from orders.placing.request import RequestedLine
from project.limits.rates import HOLDS, Rate
from project.monitoring.audit import run_audit
from tests.factories import add_product, new_key, order_request
from tests.orders.holds.ending import let_expire

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def held(*lines: tuple[str, int], replaces: UUID | None = None, key: str = "") -> Units:
    wanted = [RequestedLine(sku, quantity) for sku, quantity in lines]
    return hold(wanted, replaces=replaces, key=key)


def available(sku: str = "MUG") -> int:
    return Stock.objects.get(product__sku=sku).available


def status_of(hold_id: UUID) -> str:
    return Hold.objects.get(pk=hold_id).status


# ── Holding ─────────────────────────────────────────────────────────────────────────────────
def test_held_units_are_not_available_to_others() -> None:
    add_product("MUG", stock=3)

    mine = held(("MUG", 2))

    assert available() == 1
    with pytest.raises(OutOfStock) as refusal:
        place_order(order_request(("MUG", 2)))
    assert refusal.value.items[0].available == 1
    assert mine.is_open
    assert Hold.objects.filter(
        expires_at__gt=Now() + timedelta(minutes=14), expires_at__lt=Now() + timedelta(minutes=16)
    ).exists()
    assert run_audit().is_clean


def test_the_order_that_names_the_hold_gets_its_units() -> None:
    add_product("MUG", stock=2)
    mine = held(("MUG", 2))

    placement = place_order(order_request(("MUG", 2), hold=mine.id))

    assert available() == 0
    assert Hold.objects.values_list("status", "order_id").get() == ("ordered", placement.order.pk)
    assert not HoldLine.objects.exists()
    assert run_audit().is_clean


def test_an_order_for_more_takes_the_rest_and_one_for_less_gives_it_back() -> None:
    add_product("MUG", stock=10)
    add_product("CUP", stock=10)

    place_order(order_request(("MUG", 3), hold=held(("MUG", 2), ("CUP", 4)).id))

    assert (available("MUG"), available("CUP")) == (7, 10)
    assert run_audit().is_clean


def test_an_order_is_refused_if_the_hold_and_what_is_left_are_too_few() -> None:
    add_product("MUG", stock=3)
    mine = held(("MUG", 2))
    place_order(order_request(("MUG", 1)))

    with pytest.raises(OutOfStock) as refusal:
        place_order(order_request(("MUG", 3), hold=mine.id))

    assert refusal.value.items[0].available == 2
    assert status_of(mine.id) == "open"
    assert run_audit().is_clean


def test_all_lines_are_held_or_none() -> None:
    add_product("MUG", stock=10)
    add_product("CUP", stock=1)

    with pytest.raises(OutOfStock) as refusal:
        held(("MUG", 2), ("CUP", 2))

    assert [short.sku for short in refusal.value.items] == ["CUP"]
    assert (available("MUG"), available("CUP")) == (10, 1)
    assert not Hold.objects.exists()


def test_the_next_hold_has_the_units_of_the_one_that_it_replaces() -> None:
    add_product("MUG", stock=2)
    first = held(("MUG", 2))

    second = held(("MUG", 1), replaces=first.id)

    assert available() == 1
    assert (status_of(first.id), status_of(second.id)) == ("replaced", "open")
    assert run_audit().is_clean


def test_a_hold_that_is_asked_for_twice_is_one() -> None:
    add_product("MUG", stock=5)
    key = new_key()

    first, second = held(("MUG", 2), key=key), held(("MUG", 2), key=key)

    assert first.id == second.id
    assert (first.is_new, second.is_new) == (True, False)
    assert available() == 3
    with pytest.raises(KeyReused):
        held(("MUG", 1), key=key)


def test_what_is_no_order_is_no_hold() -> None:
    add_product("MUG")

    with pytest.raises(InvalidOrder) as refusal:
        held(("NOT-THERE", 1), ("MUG", 1000))

    assert [error.field for error in refusal.value.errors] == ["lines.0.sku", "lines.1.quantity"]


def test_a_shop_may_hold_nothing(settings: Any) -> None:
    settings.HOLD_MINUTES = 0
    add_product("MUG")

    with pytest.raises(HoldsAreOff):
        held(("MUG", 1))


def test_an_address_holds_only_so_often(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    add_product("MUG")
    settings.ORDER_LIMITS = {}
    monkeypatch.setattr("orders.holds.limit.HOLDS", Rate(1, HOLDS.seconds))
    lines = [RequestedLine("MUG", 1)]
    hold(lines, counted_address="192.0.2.1")

    with pytest.raises(TooManyHolds) as refusal:
        hold(lines, counted_address="192.0.2.1")

    assert 0 < refusal.value.retry_after <= 60
    hold(lines, counted_address="192.0.2.2")
    assert available() == 98


# ── Its end ─────────────────────────────────────────────────────────────────────────────────
def test_given_back_units_are_available_once() -> None:
    add_product("MUG", stock=2)
    mine = held(("MUG", 2))

    assert [give_back(mine.id), give_back(mine.id)] == ["given_back", "given_back"]

    assert available() == 2
    assert run_audit().is_clean


def test_an_ordered_hold_cannot_be_given_back() -> None:
    add_product("MUG", stock=2)
    mine = held(("MUG", 2))
    place_order(order_request(("MUG", 2), hold=mine.id))

    assert give_back(mine.id) == "ordered"

    assert available() == 0
    with pytest.raises(Hold.DoesNotExist):
        give_back(uuid4())


def test_an_expired_hold_is_given_back_and_one_in_time_stays() -> None:
    add_product("MUG", stock=5)
    old, young = held(("MUG", 2)), held(("MUG", 1))
    let_expire(old.id)

    assert (give_back_expired(), give_back_expired()) == (1, None)

    assert available() == 4
    assert (status_of(old.id), status_of(young.id)) == ("expired", "open")
    assert run_audit().is_clean


def test_a_hold_counts_until_it_is_given_back_even_after_its_time() -> None:
    add_product("MUG", stock=1)
    mine = held(("MUG", 1))
    let_expire(mine.id)

    place_order(order_request(("MUG", 1), hold=mine.id))

    assert give_back_expired() is None
    assert available() == 0


def test_after_the_hold_an_order_gets_what_is_available() -> None:
    add_product("MUG", stock=1)
    mine, other = held(("MUG", 1)), order_request(("MUG", 1))
    let_expire(mine.id)
    give_back_expired()

    place_order(order_request(("MUG", 1), hold=mine.id))

    assert Order.objects.count() == 1
    with pytest.raises(OutOfStock):
        place_order(other)


def test_a_hold_that_never_was_is_a_mistake() -> None:
    add_product("MUG")

    with pytest.raises(InvalidOrder) as refusal:
        place_order(order_request(("MUG", 1), hold=uuid4()))

    assert [error.field for error in refusal.value.errors] == ["hold"]


def test_a_repeat_finds_its_order_whatever_it_says_of_a_hold() -> None:
    add_product("MUG", stock=1)
    key = new_key()
    first = place_order(order_request(("MUG", 1), key=key, hold=held(("MUG", 1)).id))

    for hold_id in (None, uuid4()):
        repeat = place_order(order_request(("MUG", 1), key=key, hold=hold_id))
        assert (repeat.order.pk, repeat.replayed) == (first.order.pk, True)


def test_the_audit_finds_a_hold_that_nobody_gave_back() -> None:
    add_product("MUG", stock=2)
    mine = held(("MUG", 1))
    Hold.objects.filter(pk=mine.id).update(expires_at=Now() - timedelta(minutes=2))

    found = [finding for finding in run_audit().findings if finding["violations"]]

    assert [finding["name"].partition(":")[0] for finding in found] == ["holds"]
    assert str(mine.id) in found[0]["examples"][0]


def test_the_audit_finds_units_that_are_held_and_available() -> None:
    product = add_product("MUG", stock=2)
    held(("MUG", 1))
    Stock.objects.filter(product=product).update(available=2)

    found = [finding["name"] for finding in run_audit().findings if finding["violations"]]

    assert found == ["stock: initial + movements - held = available"]
    assert holding.read_hold(uuid4()) is None

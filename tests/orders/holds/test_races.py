"""Races about held units, on real connections; each guard is shown to be needed by a control."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest

from orders.holds.expiry import give_back_expired
from orders.holds.holding import give_back, hold
from orders.models import Hold, Order, Stock
from orders.placing import placement, stock_writer
from orders.placing.errors import OutOfStock, PlacementFailed
from orders.placing.held_units import HeldUnits
from orders.placing.placement import Placement, place_order
from orders.placing.request import RequestedLine
from project.monitoring.audit import run_audit
from tests.factories import add_product, order_request
from tests.orders.holds.ending import let_expire
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ROUNDS = 15
ONE = [RequestedLine("MUG", 1)]


def test_paying_against_the_expiry_for_the_last_unit_which_another_wants() -> None:
    """The holder has the unit, or the other one who is quick: one order, none too many."""
    product = add_product("MUG", stock=0)
    for _round in range(ROUNDS):
        Stock.objects.filter(pk=product.pk).update(initial=1 + Order.objects.count(), available=1)
        mine = hold(ONE)
        let_expire(mine.id)

        outcomes = together(
            lambda hold_id=mine.id: place_order(order_request(("MUG", 1), hold=hold_id)),
            give_back_expired,
            lambda: place_order(order_request(("MUG", 1))),
        )

        placed = [outcome for outcome in outcomes if isinstance(outcome, Placement)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, OutOfStock)]
        assert (len(placed), len(refused)) == (1, 1)
        assert Stock.objects.get().available == 0
        assert Hold.objects.get(pk=mine.id).status in ("ordered", "expired")
    assert run_audit().is_clean


def test_one_hold_for_two_orders_is_the_units_of_one() -> None:
    add_product("MUG", stock=5)
    every = hold([RequestedLine("MUG", 5)])

    outcomes = together(
        *[lambda: place_order(order_request(("MUG", 5), hold=every.id)) for _ in range(4)]
    )

    assert sorted(type(outcome) is Placement for outcome in outcomes) == [False] * 3 + [True]
    assert sum(isinstance(outcome, OutOfStock) for outcome in outcomes) == 3
    assert Stock.objects.get().available == 0
    assert run_audit().is_clean


def test_a_hold_is_given_back_once_however_many_ask() -> None:
    add_product("MUG", stock=5)
    for _round in range(ROUNDS):
        mine = hold(ONE)
        let_expire(mine.id)
        together(give_back_expired, lambda hold_id=mine.id: give_back(hold_id), give_back_expired)
        assert Stock.objects.get().available == 5
    assert run_audit().is_clean


def test_two_holds_for_the_last_unit() -> None:
    add_product("MUG", stock=1)
    for _round in range(ROUNDS):
        outcomes = together(lambda: hold(ONE), lambda: hold(ONE), lambda: hold(ONE))
        assert sum(isinstance(outcome, OutOfStock) for outcome in outcomes) == 2
        give_back(Hold.objects.get(status="open").pk)
    assert run_audit().is_clean


def test_a_hold_that_ends_while_its_order_reads_the_stock_loses_it_no_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Read after the stock, the hold would be over and the stock from before: no unit anywhere."""
    add_product("MUG", stock=1)
    mine = hold(ONE)
    look_up = placement.look_up

    def end_after(**asked: Any) -> Any:
        found = look_up(**asked)
        give_back(mine.id)
        return found

    monkeypatch.setattr(placement, "look_up", end_after)

    assert place_order(order_request(("MUG", 1), hold=mine.id)).order.total


# ── The control ─────────────────────────────────────────────────────────────────────────────
def ended_between(
    monkeypatch: pytest.MonkeyPatch, *, look: Callable[..., set[UUID]] | None
) -> object:
    """Let a hold end, and another take its unit, between the order's look and its locks."""
    add_product("MUG", stock=1)
    mine = hold(ONE)
    read = HeldUnits(mine.id, dict(Hold.objects.get().lines.values_list("product", "quantity")))
    give_back(mine.id)
    place_order(order_request(("MUG", 1)))
    monkeypatch.setattr("orders.placing.placement.read_held", lambda hold_id: read)
    if look:
        monkeypatch.setattr(stock_writer, "lock_open", look)
    try:
        return place_order(order_request(("MUG", 1), hold=mine.id))
    except (OutOfStock, PlacementFailed) as refusal:
        return refusal


def test_an_order_whose_hold_has_just_ended_is_told_that_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(ended_between(monkeypatch, look=None), OutOfStock)


def test_control_without_the_look_under_the_lock_it_takes_a_unit_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the CHECK of the counter stops it then, and the shopper hears of an error of ours."""

    def believe(cursor: object, hold_ids: Iterable[UUID]) -> set[UUID]:
        return set(hold_ids)

    assert isinstance(ended_between(monkeypatch, look=believe), PlacementFailed)

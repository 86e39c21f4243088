"""Races about held units, on real connections; each guard is shown to be needed by a control."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from orders.holds.expiry import give_back_expired
from orders.holds.holding import Units, give_back, hold
from orders.models import Hold, Order, Stock
from orders.placing import placement, stock_writer
from orders.placing.errors import OutOfStock, PlacementFailed, ShopBusy
from orders.placing.held_units import HeldUnits
from orders.placing.placement import Placement, place_order
from orders.placing.request import RequestedLine
from project.monitoring.audit import run_audit
from project.schedule.passes import UnfinishedError
from tests.database import this_database
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


# ── A hold that somebody keeps locked ───────────────────────────────────────────────────────
@contextmanager
def locked(held: Units) -> Iterator[None]:
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT 1 FROM orders_hold WHERE id = %s FOR UPDATE", [held.id])
        yield
        session.rollback()


def test_a_hold_that_somebody_keeps_locked_stops_no_other_order() -> None:
    add_product("MUG", stock=10)
    mine = hold(ONE)
    with locked(mine):
        outcomes = together(
            lambda: place_order(order_request(("MUG", 1), hold=mine.id)),
            lambda: place_order(order_request(("MUG", 1))),
            lambda: hold(ONE, replaces=mine.id),
        )

    assert [type(outcome) for outcome in outcomes] == [ShopBusy, Placement, ShopBusy]
    assert isinstance(place_order(order_request(("MUG", 1), hold=mine.id)), Placement)
    assert run_audit().is_clean


def test_an_expired_hold_that_somebody_keeps_locked_keeps_no_others_units() -> None:
    add_product("MUG", stock=10)
    stuck, others = hold(ONE), [hold(ONE) for _each in range(3)]
    for each in (stuck, *others):
        let_expire(each.id)

    with locked(stuck), pytest.raises(UnfinishedError, match="1 expired hold"):
        give_back_expired()

    assert Hold.objects.get(status="open").pk == stuck.id
    assert give_back_expired() == 1
    assert run_audit().is_clean


# ── The control ─────────────────────────────────────────────────────────────────────────────
def ended_between(monkeypatch: pytest.MonkeyPatch, *, look: Callable[..., Any] | None) -> object:
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

    def believe(cursor: object, hold_ids: set[UUID]) -> tuple[set[UUID], set[UUID]]:
        return hold_ids, set()

    assert isinstance(ended_between(monkeypatch, look=believe), PlacementFailed)

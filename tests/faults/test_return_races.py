"""Two steps of an order's returns at once: a unit is returned once, and refunded once.

Each has a control: with the guard taken out it must go wrong.
"""

import time
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum

from notifications.models import Notification
from orders.lifecycle import receiving
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.return_steps import find
from orders.lifecycle.returns import withdraw
from orders.lifecycle.steps import touch
from orders.models import Order, OrderEvent, OrderLine, Refund, Return, ReturnLine, Stock
from tests.factories import add_product
from tests.order_states import (
    accepted_return,
    ask_return,
    delivered,
    receive_return,
    refund_order,
)
from tests.races import AtOnce, all_is_right, without_constraint

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ROUNDS = 30
FEW = 5
"""Rounds of a control whose race is certain once the guard is out."""


@pytest.fixture(autouse=True)
def tea() -> None:
    add_product("TEA", stock=1000, price="5.00")


def refusals(outcomes: list[Any]) -> int:
    return sum(isinstance(outcome, TransitionError) for outcome in outcomes)


def held(order: Order) -> int:
    """Return the units that open returns of the order hold."""
    rows = ReturnLine.objects.filter(of_return__order=order, of_return__status__in=Return.OPEN)
    return rows.aggregate(units=Sum("quantity", default=0))["units"]


# ── The same return, and another one of the same units ──────────────────────────────────────────
def test_the_same_return_twice_at_once_is_one(at_once: AtOnce) -> None:
    for _round in range(ROUNDS):
        order, return_id = delivered(("TEA", 3)), uuid4()
        asking = partial(ask_return, order, return_id=return_id)

        outcomes = at_once(asking, asking)

        assert refusals(outcomes) == 0, outcomes
        assert held(order) == 2
    assert Notification.objects.filter(event="order_return_requested").count() == ROUNDS
    assert all_is_right()


def ask_twice(at_once: AtOnce, *, rounds: int) -> list[Order]:
    """Two returns of two of an order's three units; return the orders that hold too many."""
    over = []
    for _round in range(rounds):
        order = delivered(("TEA", 3))
        at_once(partial(ask_return, order), partial(ask_return, order))
        if held(order) > 3:
            over.append(order)
    return over


def test_of_two_returns_of_the_same_units_one_is_refused(at_once: AtOnce) -> None:
    assert ask_twice(at_once, rounds=ROUNDS) == []
    assert Return.objects.count() == ROUNDS
    assert all_is_right()


def test_control_without_the_lock_both_returns_take_the_units(
    at_once: AtOnce, unlocked: None
) -> None:
    assert len(ask_twice(at_once, rounds=FEW)) > 0
    assert not all_is_right()


# ── A return against a refund by hand ───────────────────────────────────────────────────────────
def ask_and_refund(at_once: AtOnce, *, rounds: int) -> list[int]:
    """A return and a refund of the same two of three units; return the refusals of each round."""
    return [
        refusals(at_once(partial(ask_return, order), partial(refund_order, order.pk, {"TEA": 2})))
        for order in [delivered(("TEA", 3)) for _round in range(rounds)]
    ]


def test_of_a_return_and_a_refund_of_the_same_units_one_wins(at_once: AtOnce) -> None:
    assert ask_and_refund(at_once, rounds=ROUNDS) == [1] * ROUNDS
    assert Refund.objects.count() + Return.objects.count() == ROUNDS
    assert all_is_right()


def test_control_without_the_lock_a_unit_is_refunded_and_still_to_be_returned(
    at_once: AtOnce, unlocked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touch_late(order_id: Any) -> None:
        time.sleep(0.2)  # the return is written, not committed
        touch(order_id)

    monkeypatch.setattr("orders.lifecycle.return_steps.touch", touch_late)

    assert 0 in ask_and_refund(at_once, rounds=FEW)
    assert not all_is_right()


# ── Received twice, and against a refund by hand ────────────────────────────────────────────────
def receive_twice(at_once: AtOnce, *, rounds: int) -> list[Any]:
    outcomes = []
    for _round in range(rounds):
        asked = accepted_return(delivered(("TEA", 3)))
        coming = partial(receive_return, asked, {"TEA": 2}, restocked={"TEA": 1})
        outcomes += at_once(coming, coming)
    return outcomes


def test_a_return_is_received_once(at_once: AtOnce) -> None:
    outcomes = receive_twice(at_once, rounds=ROUNDS)

    assert refusals(outcomes) == 0, outcomes
    assert Refund.objects.aggregate(sum=Sum("amount"))["sum"] == Decimal(10 * ROUNDS)
    assert Stock.objects.get().available == 1000 - 2 * ROUNDS
    assert OrderEvent.objects.filter(kind="return_received").count() == ROUNDS
    assert all_is_right()


def test_control_without_its_status_and_key_a_return_is_refunded_twice(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call believes that the goods have just come, and has a key of its own."""
    enter = receiving.enter_refund

    def enter_anew(order: Order, *, refund_id: Any, **said: Any) -> Refund:
        return enter(order, refund_id=uuid4(), **said)

    def still_accepted(return_id: Any) -> Return:
        asked = find(return_id)
        asked.status = Return.Status.ACCEPTED
        return asked

    def move(return_id: Any, *, to: Any, **changes: Any) -> bool:
        return True

    monkeypatch.setattr(receiving, "enter_refund", enter_anew)
    monkeypatch.setattr(receiving, "find", still_accepted)
    monkeypatch.setattr(receiving, "move_return", move)
    with without_constraint(Notification, "one_notification_per_event"):
        asked = accepted_return(delivered(("TEA", 4)))
        coming = partial(receive_return, asked, {"TEA": 2})
        at_once(coming, coming)
        Notification.objects.all().delete()

    assert OrderLine.objects.get().refunded == 4
    assert Refund.objects.count() == 2


def receive_and_refund(at_once: AtOnce, *, rounds: int) -> list[int]:
    """Two of three units come while somebody refunds two by hand."""
    orders = [delivered(("TEA", 3)) for _round in range(rounds)]
    returns = [accepted_return(order) for order in orders]
    return [
        refusals(
            at_once(
                partial(receive_return, asked, {"TEA": 2}),
                partial(refund_order, asked.order_id, {"TEA": 2}),
            )
        )
        for asked in returns
    ]


def test_units_that_come_back_are_not_refunded_by_hand_as_well(at_once: AtOnce) -> None:
    assert receive_and_refund(at_once, rounds=ROUNDS) == [1] * ROUNDS
    assert set(Return.objects.values_list("status", flat=True)) == {"received"}
    assert Refund.objects.aggregate(sum=Sum("amount"))["sum"] == Decimal(10 * ROUNDS)
    assert all_is_right()


def test_control_without_the_units_of_open_returns_the_refund_takes_them(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.lifecycle.refunds.held_units", lambda order: {})

    receive_and_refund(at_once, rounds=ROUNDS)

    assert Return.objects.filter(status="accepted").exists()  # its goods have no money any more
    assert not all_is_right()


# ── Received against withdrawn ──────────────────────────────────────────────────────────────────
def test_of_receiving_and_withdrawing_one_wins(at_once: AtOnce) -> None:
    for _round in range(ROUNDS):
        asked = accepted_return(delivered(("TEA", 2)))

        outcomes = at_once(
            partial(receive_return, asked, {"TEA": 2}), partial(withdraw, return_id=asked.pk)
        )

        assert refusals(outcomes) == 1
    came = Return.objects.filter(status="received").count()
    assert Return.objects.filter(status="withdrawn").count() == ROUNDS - came
    assert Refund.objects.count() == came
    assert all_is_right()

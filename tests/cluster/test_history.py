"""Each rule over a history finds what breaks it, and a right history breaks none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.history import (
    CANCEL,
    PLACE,
    READ,
    REPEAT,
    Booked,
    Books,
    History,
    Operation,
    broken_rules,
    read,
)

TEA = {"TEA": 1}


def calls(*ends: tuple[str, str, str, dict[str, Any]]) -> list[Operation]:
    """Return the history of one client that made these calls: (end, call, key, more)."""
    operations = []
    for number, (end, call, key, more) in enumerate(ends):
        began = {"lines": more.get("lines", {})}
        operations.append(Operation("invoke", 0, call, key, 10 * number, **began))
        operations.append(Operation(end, 0, call, key, 10 * number + 5, **more))
    return operations


def placed(key: str, order: str, lines: dict[str, int] = TEA) -> tuple[Any, ...]:
    return ("ok", PLACE, key, {"order": order, "status": "placed", "lines": lines})


def cancelled(key: str) -> tuple[Any, ...]:
    return ("ok", CANCEL, key, {"status": "cancelled"})


def found(key: str, status: str, call: str = READ) -> tuple[Any, ...]:
    return ("ok", call, key, {"status": status})


def booked(key: str, order: str, status: str = "placed", *events: str) -> Booked:
    return Booked(order, key, status, TEA, ("placed", *events))


def books(*orders: Booked, initial: int = 5, left: int | None = None) -> Books:
    sold = sum(order.status != "cancelled" for order in orders)
    return Books(list(orders), {"TEA": (initial, initial - sold if left is None else left)})


def test_a_right_history_breaks_no_rule() -> None:
    history = calls(
        placed("a", "1"),
        found("a", "placed"),
        ("ok", REPEAT, "a", {"order": "1", "status": "placed"}),
        cancelled("a"),
        found("a", "cancelled"),
        ("fail", PLACE, "b", {"lines": TEA}),
        ("info", PLACE, "c", {"lines": TEA}),
    )

    orders = [booked("a", "1", "cancelled", "cancelled"), booked("c", "3")]
    assert broken_rules(history, books(*orders)) == []


def test_an_answered_order_that_is_not_there_is_lost() -> None:
    found = broken_rules(calls(placed("a", "1")), books())

    assert found == ["lost: order 1 was answered to a"]


def test_a_key_with_two_orders_in_the_books_is_doubled() -> None:
    history = calls(placed("a", "1"))

    found = broken_rules(history, books(booked("a", "1"), booked("a", "2")))

    assert found == ["doubled: a has 2 orders"]


@pytest.mark.parametrize("asked", [[], [("fail", PLACE, "a", {"lines": TEA})]])
def test_an_order_that_nobody_placed_is_found(asked: list[Any]) -> None:
    found = broken_rules(calls(*asked), books(booked("a", "1")))

    assert found == ["nobody's: order 1 of a"]


def test_a_repeat_that_names_another_order_is_found() -> None:
    history = calls(placed("a", "1"), ("ok", REPEAT, "a", {"order": "2", "status": "placed"}))

    found = broken_rules(history, books(booked("a", "1")))

    assert found == ["another order: a had 1, then 2"]


def test_units_that_are_missing_are_found() -> None:
    history = calls(placed("a", "1"))

    found = broken_rules(history, books(booked("a", "1"), left=3))

    assert found == ["stock: 3 units of TEA are left of 5 with 1 sold"]


def test_units_that_a_cancel_did_not_give_back_are_found() -> None:
    history = calls(placed("a", "1"), cancelled("a"))

    found = broken_rules(history, books(booked("a", "1", "cancelled", "cancelled"), left=4))

    assert found == ["stock: 4 units of TEA are left of 5 with 0 sold"]


def test_stock_below_zero_is_oversold() -> None:
    history = calls(("info", PLACE, "a", {"lines": TEA}))

    found = broken_rules(history, books(booked("a", "1"), initial=0))

    assert found == ["oversold: -1 units of TEA are left"]


def test_more_sold_by_answer_than_there_was_is_oversold_although_the_books_are_right() -> None:
    history = calls(placed("a", "1"), placed("b", "2"), cancelled("a"))
    orders = [booked("a", "1", "cancelled", "cancelled"), booked("b", "2")]

    found = broken_rules(history, books(*orders, initial=1))

    assert found == ["oversold: 2 units of TEA at 0.000 s"]


def test_control_units_that_were_asked_back_may_be_sold_again() -> None:
    history = calls(placed("a", "1"), cancelled("a"), placed("b", "2"))
    orders = [booked("a", "1", "cancelled", "cancelled"), booked("b", "2")]

    assert broken_rules(history, books(*orders, initial=1)) == []


@pytest.mark.parametrize("call", [READ, REPEAT])
def test_an_order_that_lives_again_after_its_cancel_is_found(call: str) -> None:
    history = calls(placed("a", "1"), cancelled("a"), found("a", "placed", call))

    found_ = broken_rules(history, books(booked("a", "1", "cancelled", "cancelled")))

    assert found_ == ["cancelled, then placed: a"]


def test_an_answered_cancel_that_is_not_in_the_books_is_found() -> None:
    history = calls(placed("a", "1"), cancelled("a"))

    found = broken_rules(history, books(booked("a", "1")))

    assert found == ["cancelled, then placed in the books: a"]


@pytest.mark.parametrize("step", ["paid", "packed", "shipped", "delivered", "cancelled"])
def test_a_step_after_a_cancel_is_found(step: str) -> None:
    history = calls(placed("a", "1"))

    found = broken_rules(history, books(booked("a", "1", "cancelled", "cancelled", step)))

    assert found == [f"cancelled, then {step}: order 1"]


def test_an_answered_order_that_is_unknown_later_is_found() -> None:
    history = calls(placed("a", "1"), found("a", "unknown"))

    found_ = broken_rules(history, books(booked("a", "1")))

    assert found_ == ["forgotten: a was answered, and later unknown"]


def test_control_a_read_that_began_before_the_answer_may_not_know_the_order() -> None:
    history = [
        Operation("invoke", 0, PLACE, "a", 0, TEA),
        Operation("invoke", 1, READ, "a", 1),
        Operation("ok", 0, PLACE, "a", 2, TEA, "1", "placed"),
        Operation("ok", 1, READ, "a", 3, status="unknown"),
    ]

    assert broken_rules(history, books(booked("a", "1"))) == []


def test_a_history_is_written_as_elle_reads_it_and_read_again(tmp_path: Path) -> None:
    history, path = History(), tmp_path / "history.json"
    history.add("invoke", 0, PLACE, "a", lines=TEA)
    history.add("ok", 0, PLACE, "a", lines=TEA, order="1", status="placed")
    history.add("invoke", 1, READ, "a")
    history.add("ok", 1, READ, "a", status="placed")

    history.write(path)

    written = json.loads(path.read_text())
    assert [each["index"] for each in written] == [0, 1, 2, 3]
    assert [each["type"] for each in written] == ["invoke", "ok", "invoke", "ok"]
    assert [each["value"] for each in written] == [
        [["w", "a", "placed"]],
        [["w", "a", "placed"]],
        [["r", "a", None]],
        [["r", "a", "placed"]],
    ]
    assert {each["f"] for each in written} == {"txn"}
    assert all(isinstance(each["time"], int) for each in written)
    assert read(path) == history.operations

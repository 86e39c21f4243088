"""Two steps of one order's life at once, a hundred times each: one wins, and what moves moves once.

Each has a control: with the guard taken out it must go wrong.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Now

from notifications.models import Notification
from orders.audits.corrections import fix_sales_counters, fix_stock
from orders.lifecycle.errors import TransitionError, WrongStatus
from orders.lifecycle.steps import read, touch
from orders.lifecycle.transitions import cancel, expire, pay, ship
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    ProductSales,
    Refund,
    Stock,
    StockMovement,
)
from orders.placing.row_locks import RowLocks
from orders.placing.settle import settle_now, settle_orders
from orders.placing.writers import drain
from tests.factories import add_product
from tests.order_states import packed, paid, placed, refund_order
from tests.races import AtOnce, all_is_right, without_constraint

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ROUNDS = 100
FEW = 10
"""Rounds of a control whose race is certain once the guard is out."""


@pytest.fixture
def without_status_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take out the old status from the UPDATE, and the constraints that stand behind it."""

    def move(order_id: UUID, *, to: Any, among: Any = ()) -> bool:
        time.sleep(0.02)
        return Order.objects.filter(pk=order_id).update(status=to, changed_at=Now()) == 1

    monkeypatch.setattr("orders.lifecycle.transitions.move", move)
    with ExitStack() as constraints:
        constraints.enter_context(without_constraint(StockMovement, "movement_once_per_order"))
        constraints.enter_context(without_constraint(Notification, "one_notification_per_event"))
        yield
        StockMovement.objects.all().delete()
        Notification.objects.all().delete()


def available() -> int:
    return Stock.objects.get().available


def refusals(outcomes: list[Any]) -> int:
    return sum(isinstance(outcome, TransitionError) for outcome in outcomes)


# ── Two settles ─────────────────────────────────────────────────────────────────────────────
def test_two_settles_move_sales_once(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    product = add_product("TEA", stock=1000)
    placed(("TEA", 500))
    monkeypatch.setattr("orders.lifecycle.transitions.settle", lambda order_id: None)
    for _round in range(ROUNDS):
        order = placed(("TEA", 2))
        cancel(order_id=order.pk, reason="x")

        at_once(partial(settle_now, [order.pk]), partial(settle_now, [order.pk]))

        assert ProductSales.objects.get(product=product).units == 500
    assert all_is_right()


def test_control_without_the_counters_lock_two_settles_move_them_twice(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA", stock=1000)
    placed(("TEA", 500))
    monkeypatch.setattr("orders.lifecycle.transitions.settle", lambda order_id: None)
    locking = RowLocks.acquire

    def acquire(self: RowLocks, connection: Any, product_ids: Any) -> Any:
        self._wait = self._skip = self._read
        return locking(self, connection, product_ids)

    monkeypatch.setattr(RowLocks, "acquire", acquire)
    for _round in range(ROUNDS):
        order = placed(("TEA", 2))
        cancel(order_id=order.pk, reason="x")
        at_once(partial(settle_now, [order.pk]), partial(settle_now, [order.pk]))

    assert ProductSales.objects.get().units < 500


# ── Two audits ──────────────────────────────────────────────────────────────────────────────
def chained(lists: list[list[str]]) -> list[str]:
    return [item for one in lists for item in one]


def mend() -> list[str]:
    products = list(Stock.objects.values_list("pk", flat=True))
    return [*fix_stock(products), *fix_sales_counters(products)]


def test_two_audits_mend_once(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    placed(("TEA", 2))
    for _round in range(ROUNDS):
        Stock.objects.update(available=F("available") - 5)
        ProductSales.objects.update(units=F("units") + 7)

        changes = chained(at_once(mend, mend))

        assert len(changes) == 2
        assert (available(), ProductSales.objects.get().units) == (998, 2)
    assert all_is_right()


def test_control_without_the_lock_two_audits_both_mend(at_once: AtOnce, unlocked: None) -> None:
    add_product("TEA", stock=1000)
    mended = 0
    for _round in range(FEW):
        Stock.objects.update(available=F("available") - 5)
        mended += len(chained(at_once(mend, mend)))

    assert mended > FEW


# ── A cancel and a settle ───────────────────────────────────────────────────────────────────
def test_a_cancel_and_a_settle_agree(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(ROUNDS):
        order = placed(("TEA", 2))

        at_once(partial(cancel, order_id=order.pk, reason="x"), partial(settle_now, [order.pk]))

        assert available() == 1000
    assert all_is_right()
    assert ProductSales.objects.get().units == 0


def test_control_without_a_settle_after_its_commit_a_cancelled_order_counts_on(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA", stock=1000)
    monkeypatch.setattr("orders.lifecycle.transitions.settle", lambda order_id: None)
    for _round in range(FEW):
        order = placed(("TEA", 2))
        at_once(partial(cancel, order_id=order.pk, reason="x"), partial(settle_now, [order.pk]))

    assert ProductSales.objects.get().units > 0


# ── Two cancels ─────────────────────────────────────────────────────────────────────────────
def cancel_twice(at_once: AtOnce, *, rounds: int) -> None:
    add_product("TEA", stock=1000)
    for _round in range(rounds):
        order = placed(("TEA", 2))
        wish: dict[str, Any] = {"order_id": order.pk, "reason": "x"}
        first, second = at_once(partial(cancel, **wish), partial(cancel, **wish))
        assert first.status == second.status == "cancelled"


def test_two_cancels_give_the_stock_back_once(at_once: AtOnce) -> None:
    cancel_twice(at_once, rounds=ROUNDS)

    assert available() == 1000
    assert OrderEvent.objects.filter(kind="cancelled").count() == ROUNDS
    assert Notification.objects.filter(event="order_cancelled").count() == ROUNDS
    assert all_is_right()
    assert ProductSales.objects.get().units == 0


def test_control_without_the_old_status_two_cancels_give_it_back_twice(
    at_once: AtOnce, without_status_check: None
) -> None:
    cancel_twice(at_once, rounds=FEW)

    assert available() == 1000 + 2 * FEW


# ── Cancel against ship ─────────────────────────────────────────────────────────────────────
def cancel_and_ship(at_once: AtOnce, *, rounds: int) -> list[list[Any]]:
    add_product("TEA", stock=1000)
    return [
        at_once(
            partial(cancel, order_id=order.pk, reason="x"),
            partial(ship, order_id=order.pk, carrier="DHL"),
        )
        for order in [packed(("TEA", 2)) for _round in range(rounds)]
    ]


def test_of_cancel_and_ship_one_wins(at_once: AtOnce) -> None:
    rounds = cancel_and_ship(at_once, rounds=ROUNDS)

    assert [refusals(outcomes) for outcomes in rounds] == [1] * ROUNDS
    gone = Order.objects.filter(status="shipped").count()
    assert gone + Order.objects.filter(status="cancelled").count() == ROUNDS
    assert available() == 1000 - 2 * gone
    assert all_is_right()
    assert ProductSales.objects.get().units == 2 * gone


def test_control_without_the_old_status_cancel_and_ship_both_win(
    at_once: AtOnce, without_status_check: None
) -> None:
    rounds = cancel_and_ship(at_once, rounds=FEW)

    assert [refusals(outcomes) for outcomes in rounds] == [0] * FEW


# ── Two refunds of the same line ────────────────────────────────────────────────────────────
def refund_twice(at_once: AtOnce, *, rounds: int) -> list[list[Any]]:
    """Two refunds of two of an order's three units."""
    add_product("TEA", stock=1000, price="5.00")
    return [
        at_once(
            partial(refund_order, order.pk, {"TEA": 2}), partial(refund_order, order.pk, {"TEA": 2})
        )
        for order in [paid(("TEA", 3)) for _round in range(rounds)]
    ]


def test_of_two_refunds_of_the_same_units_one_wins(at_once: AtOnce) -> None:
    rounds = refund_twice(at_once, rounds=ROUNDS)

    assert [refusals(outcomes) for outcomes in rounds] == [1] * ROUNDS
    assert available() == 1000 - ROUNDS
    assert Refund.objects.aggregate(sum=Sum("amount"))["sum"] == Decimal(10 * ROUNDS)
    assert all_is_right()
    assert ProductSales.objects.get().units == ROUNDS


def test_control_without_the_count_of_what_is_left_both_refunds_win(
    at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(line: OrderLine, quantity: int) -> bool:
        left = OrderLine.objects.filter(pk=line.pk)
        return left.update(refunded=F("refunded") + quantity) == 1

    monkeypatch.setattr("orders.lifecycle.refunds.add_refunded_units", take)
    monkeypatch.setattr("orders.lifecycle.refunds.refunded_so_far", lambda order: Decimal(0))
    with without_constraint(OrderLine, "line_is_refunded_at_most_once"):
        refund_twice(at_once, rounds=FEW)
        over = OrderLine.objects.filter(refunded__gt=F("quantity")).count()
        OrderLine.objects.update(refunded=0)

    assert over == FEW


def test_the_same_refund_twice_at_once_is_made_once(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(ROUNDS):
        order, refund_id = paid(("TEA", 3)), uuid4()

        outcomes = at_once(
            partial(refund_order, order.pk, {"TEA": 1}, refund_id=refund_id),
            partial(refund_order, order.pk, {"TEA": 1}, refund_id=refund_id),
        )

        assert refusals(outcomes) == 0, outcomes
    assert available() == 1000 - 2 * ROUNDS
    assert all_is_right()


def test_a_refund_and_a_cancel_give_each_unit_back_once(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(ROUNDS):
        order = packed(("TEA", 3))

        outcomes = at_once(
            partial(refund_order, order.pk, {"TEA": 1}),
            partial(cancel, order_id=order.pk, reason="x"),
        )

        assert read(order.pk).status == "cancelled"
        assert all(isinstance(outcome, Order | WrongStatus) for outcome in outcomes)
    assert available() == 1000
    assert all_is_right()


# ── Payments ────────────────────────────────────────────────────────────────────────────────
def pay_by_halves(at_once: AtOnce, *, rounds: int) -> None:
    add_product("TEA", stock=1000, price="5.00")
    for order in [placed(("TEA", 2)) for _round in range(rounds)]:
        half: dict[str, Any] = {"order_id": order.pk, "method": "card", "amount": Decimal("5.00")}
        at_once(partial(pay, **half, reference="A"), partial(pay, **half, reference="B"))


def test_two_halves_at_once_pay_the_order_once(at_once: AtOnce) -> None:
    pay_by_halves(at_once, rounds=ROUNDS)

    assert Order.objects.filter(status="paid").count() == ROUNDS
    assert OrderEvent.objects.filter(kind="paid").count() == ROUNDS
    assert all_is_right()


def test_control_without_the_lock_two_halves_never_make_a_whole(
    at_once: AtOnce, unlocked: None
) -> None:
    pay_by_halves(at_once, rounds=FEW)

    assert Order.objects.filter(status="paid").count() < FEW


def test_the_same_payment_twice_at_once_is_taken_once(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(ROUNDS):
        order = placed(("TEA", 2))
        payment: dict[str, Any] = {"method": "card", "reference": "A", "amount": order.total}
        whole = partial(pay, order_id=order.pk, **payment)

        first, second = at_once(whole, whole)

        assert first.status == second.status == "paid"
    assert Payment.objects.count() == ROUNDS
    assert all_is_right()


def test_payment_against_cancel_leaves_no_money_behind(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(ROUNDS):
        order = placed(("TEA", 2))

        at_once(
            partial(cancel, order_id=order.pk, reason="x"),
            partial(pay, order_id=order.pk, method="card", reference="A", amount=order.total),
        )

        assert read(order.pk).status == "cancelled"
    sums = [table.objects.aggregate(sum=Sum("amount"))["sum"] for table in (Payment, Refund)]
    assert sums[0] == sums[1]
    assert available() == 1000
    assert all_is_right()


# ── Payment against expiry ──────────────────────────────────────────────────────────────────
def pay_and_expire(at_once: AtOnce, *, rounds: int, part: Decimal | None = None) -> list[list[Any]]:
    """Pay all of an order, or a part, in the moment when it expires."""
    add_product("TEA", stock=1000, price="5.00")
    orders = [placed(("TEA", 2)) for _round in range(rounds)]
    past = timedelta(hours=3)
    Order.objects.update(placed_at=F("placed_at") - past, changed_at=F("changed_at") - past)
    return [
        at_once(
            partial(
                pay, order_id=order.pk, method="card", reference="A", amount=part or order.total
            ),
            partial(expire, order_id=order.pk, hours=1),
        )
        for order in orders
    ]


def test_of_payment_and_expiry_one_wins(at_once: AtOnce) -> None:
    rounds = pay_and_expire(at_once, rounds=ROUNDS)

    assert [refusals(outcomes) for outcomes in rounds] == [1] * ROUNDS
    kept = Order.objects.filter(status="paid").count()
    assert kept == Payment.objects.count()
    assert Order.objects.filter(status="cancelled").count() == ROUNDS - kept
    assert not Refund.objects.exists()
    assert available() == 1000 - 2 * kept
    assert all_is_right()
    assert ProductSales.objects.get().units == 2 * kept


def test_of_a_part_payment_and_expiry_one_wins(at_once: AtOnce) -> None:
    rounds = pay_and_expire(at_once, rounds=ROUNDS, part=Decimal("1.00"))

    assert [refusals(outcomes) for outcomes in rounds] == [1] * ROUNDS
    kept = Order.objects.filter(status="placed").count()
    assert kept == Payment.objects.count()
    assert available() == 1000 - 2 * kept
    assert all_is_right()


def test_control_without_the_lock_an_order_expires_with_money_in_it(
    at_once: AtOnce, unlocked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touch_late(order_id: UUID) -> None:
        time.sleep(0.2)  # the payment is written, not committed
        touch(order_id)

    monkeypatch.setattr("orders.lifecycle.payments.touch", touch_late)
    rounds = pay_and_expire(at_once, rounds=FEW, part=Decimal("1.00"))

    assert [refusals(outcomes) for outcomes in rounds] == [0] * FEW
    assert Payment.objects.filter(order__status="cancelled").count() == FEW
    assert not all_is_right()


# ── Against orders that are being placed ────────────────────────────────────────────────────
def test_orders_and_cancels_of_the_same_products_never_deadlock(at_once: AtOnce) -> None:
    add_product("A", stock=1000)
    add_product("B", stock=1000)
    for _round in range(ROUNDS):
        order = placed(("B", 1), ("A", 1))

        outcomes = at_once(
            partial(cancel, order_id=order.pk, reason="x"),
            partial(placed, ("A", 1), ("B", 1)),
        )

        assert [outcome.status for outcome in outcomes] == ["cancelled", "placed"]
    assert set(Stock.objects.values_list("available", flat=True)) == {1000 - ROUNDS}
    assert all_is_right()


def test_two_settles_of_everything_at_once_agree(at_once: AtOnce) -> None:
    add_product("TEA", stock=1000)
    for _round in range(FEW):
        order = placed(("TEA", 2))
        drain(timeout=20)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM orders_salesentry WHERE order_id = %s", [order.pk])
            cursor.execute("UPDATE orders_productsales SET units = units - 2, amount = amount - 5")

        orders = list(Order.objects.values_list("pk", flat=True))
        settling = partial(settle_orders, orders)
        at_once(settling, settling)

    assert ProductSales.objects.get().units == 2 * FEW
    assert all_is_right()

"""Any sequence of what can happen to orders, crashes included: the invariants hold after each step.

Hypothesis makes up the sequences and shrinks one that goes wrong. Stock, orders and money must be
right at any time. Sales may be off after a crash, until the next settle, and at no other time.
"""

import time
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from orders import audits
from orders.catalogue.stock import StockTooLowError, correct_stock
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.transitions import cancel, pack, pay, refund
from orders.models import Order, Stock
from orders.placing import placement
from orders.placing.errors import OutOfStock
from orders.placing.identity import order_id
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest
from orders.placing.sales_writer import Count
from orders.placing.settle import settle_due
from orders.placing.stock_writer import Draft
from orders.placing.writers import writers
from project.monitoring import audit
from tests.factories import add_product, order_request
from tests.orders.placing.test_races import make_old

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

SKUS = ("TEA", "CUP")
QUANTITIES = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
TABLES = (
    "orders_product, orders_category, orders_order, orders_salesentry, project_sweep,"
    " notifications_notification, media_jobs_mediajob"
)


class Crash(Exception):
    """The process died here."""


def dying_submit(*, stock: bool, sales: bool) -> Any:
    """Return a `_submit` that dies: what each writer was given to do is done, nothing else is."""

    def submit(draft: Draft) -> Any:
        connection.close()
        if sales:
            counted = placement._count(writers(), draft, time.monotonic() + 20)
            assert counted is not None
            counted.result(grace=20)
        if stock:
            writers().stock.submit(draft, deadline=time.monotonic() + 20).result(grace=20)
        raise Crash

    return submit


def judged_at_once() -> list[audit.Invariant]:
    """Return the invariants without the minute that they give to sales."""
    return [
        replace(one, query=one.query.replace(audits._SETTLED, "now()"))
        for one in audit.invariants()
    ]


def drift(*, but_sales: bool) -> list[str]:
    """Return what the audit would find now."""
    with audit._snapshot() as cursor:
        findings = [audit._check(cursor, one) for one in judged_at_once()]
    return [
        f"{finding.name}: {finding.examples}"
        for finding in findings
        if finding.violations and not (but_sales and finding.name.startswith("sales:"))
    ]


class Orders(RuleBasedStateMachine):
    """A small shop, in which orders are placed, repeated, changed and lost on their way."""

    requests: ClassVar[Bundle[OrderRequest]] = Bundle("requests")

    @initialize()
    def open_the_shop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        for sku in SKUS:
            add_product(sku, stock=12, price="2.50")
        self.has_crashed = False
        self.placed: dict[str, UUID] = {}

    # ── What happens ────────────────────────────────────────────────────────────────────────
    @rule(target=requests, lines=QUANTITIES)
    def place(self, lines: dict[str, int]) -> OrderRequest:
        request = order_request(*lines.items())
        self._place(request)
        return request

    @rule(
        target=requests,
        lines=QUANTITIES,
        done=st.sampled_from([(True, True), (True, False), (False, True), (False, False)]),
    )
    def place_and_crash(self, lines: dict[str, int], done: tuple[bool, bool]) -> OrderRequest:
        request = order_request(*lines.items())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(placement, "_submit", dying_submit(stock=done[0], sales=done[1]))
            with pytest.raises((Crash, OutOfStock)):
                place_order(request)
        self.has_crashed = True
        return request

    @rule(request=requests)
    def repeat(self, request: OrderRequest) -> None:
        known = Order.objects.filter(pk=self._id(request)).exists()

        self._place(request, replayed=known)

    @rule(sku=st.sampled_from(SKUS))
    def ask_for_more_than_there_is(self, sku: str) -> None:
        more = Stock.objects.get(product__sku=sku).available + 1

        with pytest.raises(OutOfStock):
            place_order(order_request((sku, more)))

    @rule(request=requests, whole=st.booleans())
    def pay(self, request: OrderRequest, whole: bool) -> None:
        order = Order.objects.filter(pk=self._id(request)).first()
        if order is not None:
            amount = order.total if whole else Decimal("0.50")
            self._try(pay, request, method="card", reference=f"{whole}", amount=amount)

    @rule(request=requests)
    def pack(self, request: OrderRequest) -> None:
        self._try(pack, request)

    @rule(request=requests, crash=st.booleans())
    def cancel(self, request: OrderRequest, crash: bool) -> None:
        with self._maybe_dead_before_settle("orders.lifecycle.transitions.settle", crash):
            self._try(cancel, request, reason="x")

    @rule(
        request=requests,
        lines=st.none() | QUANTITIES,
        restock=st.booleans(),
        crash=st.booleans(),
    )
    def refund(
        self, request: OrderRequest, lines: dict[str, int] | None, restock: bool, crash: bool
    ) -> None:
        with self._maybe_dead_before_settle("orders.lifecycle.refunds.settle", crash):
            self._try(refund, request, refund_id=uuid4(), restock=restock, lines=lines)

    @rule(sku=st.sampled_from(SKUS), delta=st.integers(-3, 5).filter(bool))
    def restock(self, sku: str, delta: int) -> None:
        product_id = Stock.objects.get(product__sku=sku).pk
        try:
            correct_stock(product_id=product_id, delta=delta, reason="counted", user_id=None)
        except StockTooLowError:
            pass  # it says so, and changes nothing

    @rule()
    def settle(self) -> None:
        self.settle_what_is_due()
        self.has_crashed = False

    # ── What holds ──────────────────────────────────────────────────────────────────────────
    @invariant()
    def the_audit_is_clean(self) -> None:
        if hasattr(self, "placed"):
            self._wait_for_sales()
            assert drift(but_sales=self.has_crashed) == []

    @invariant()
    def what_was_answered_is_there(self) -> None:
        if hasattr(self, "placed"):
            there = set(Order.objects.values_list("pk", flat=True))
            assert set(self.placed.values()) <= there

    # ── Ways and means ──────────────────────────────────────────────────────────────────────
    def settle_what_is_due(self) -> None:
        """Do what the relay does within half a minute."""
        self._wait_for_sales()
        make_old()
        assert settle_due() is not None

    def _place(self, request: OrderRequest, *, replayed: bool = False) -> None:
        try:
            placement = place_order(request)
        except OutOfStock:
            assert request.key not in self.placed
            assert not Order.objects.filter(pk=self._id(request)).exists()
        else:
            assert placement.replayed == replayed
            assert self.placed.setdefault(request.key, placement.order.pk) == placement.order.pk

    def _id(self, request: OrderRequest) -> UUID:
        return order_id(source=request.source, user_id=request.user_id, key=request.key)

    def _try(self, step: Any, request: OrderRequest, **said: Any) -> None:
        try:
            step(order_id=self._id(request), **said)
        except TransitionError:
            pass  # it isn't the time for it

    def _maybe_dead_before_settle(self, settle: str, crash: bool) -> Any:
        """A context in which the process dies between the commit and its settle, or doesn't."""
        patch = pytest.MonkeyPatch()
        if crash:
            self.has_crashed = True
            patch.setattr(settle, lambda order_id: None)
        context = ExitStack()
        context.callback(patch.undo)
        return context

    def _wait_for_sales(self) -> None:
        """Wait until the sales writer has done what it was asked for."""
        end = time.monotonic() + 20
        writers().sales.submit(Count(UUID(int=0), {}), deadline=end).result(grace=5)


def play(machine: type[Orders], **chosen: Any) -> None:
    """Let hypothesis play; the same games each time, unless it is told otherwise."""
    usual = {"derandomize": True, "max_examples": 8, "stateful_step_count": 15}
    run_state_machine_as_test(
        machine,
        settings=settings(
            **usual | chosen,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_in_whatever_order_the_books_are_right() -> None:
    play(Orders)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_whatever_happens_in_many_more_orders_the_books_are_right() -> None:
    play(Orders, derandomize=False, max_examples=400, stateful_step_count=40)


@pytest.mark.parametrize("settles", [True, False])
def test_control_without_settle_a_crash_leaves_sales_that_are_wrong(settles: bool) -> None:
    shop = Orders()
    shop.open_the_shop()
    shop.place_and_crash({"TEA": 2}, (True, False))
    shop.has_crashed = False  # from here on, everything must be right

    if settles:
        shop.settle_what_is_due()

    assert drift(but_sales=True) == []
    assert (drift(but_sales=False) == []) is settles

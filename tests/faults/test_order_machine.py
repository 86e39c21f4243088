"""Any sequence of what can happen to orders, crashes included: the invariants hold after each step.

Hypothesis makes up the sequences and shrinks one that goes wrong. Stock, orders and money must be
right at any time. Sales may be off after a crash, until the next settle, and at no other time.

A step is asked for in any status. Where the order's life allows it, it must be done, and where not,
it must be refused: a transition that always refuses (or never) makes a game fail.
"""

import time
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from orders.audits.sales import SETTLED
from orders.catalogue.stock import StockTooLowError, correct_stock
from orders.holds.expiry import give_back_expired
from orders.holds.holding import give_back, hold
from orders.lifecycle import receiving, returns, transitions
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.payouts import paid_so_far
from orders.lifecycle.return_units import held_units
from orders.models import Hold, Order, Return, Stock, Voucher
from orders.placing import placement
from orders.placing.draft import Draft
from orders.placing.errors import OutOfStock, VoucherRefused
from orders.placing.identity import order_id
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.sales_writer import Count
from orders.placing.settle import settle_due
from orders.placing.writers import writers
from project.monitoring import audit
from tests.factories import add_product, order_request, uploaded_file
from tests.faults.drift import of_everything
from tests.order_states import ADDRESS, make_old

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

SKUS = ("TEA", "CUP")
PRINTED = "CARD"
"""A product that is personalised by a picture."""
CODE, USES = "TEN", 3
CODES = st.sampled_from(["", CODE])
STEPS = st.sampled_from([5, 5, 5, 3, 1])
"""Of an order's life, which has five: most games come to its end."""
QUANTITIES = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
TABLES = (
    "orders_product, orders_category, orders_order, orders_salesentry, project_sweep,"
    " orders_upload, notifications_notification, media_jobs_mediajob, orders_hold, orders_voucher,"
    " orders_voucheruse"
)
Status = Order.Status
ALLOWED: dict[str, set[str]] = {
    "pay": {Status.PLACED},
    "pack": {Status.PAID, Status.PACKED},
    "ship": {Status.PACKED, Status.SHIPPED},
    "deliver": {Status.SHIPPED, Status.DELIVERED},
    "cancel": {Status.PLACED, Status.PAID, Status.PACKED, Status.CANCELLED},
    "expire": {Status.PLACED, Status.CANCELLED},
    "refund": {Status.PAID, Status.PACKED, Status.SHIPPED, Status.DELIVERED, Status.REFUNDED},
}
"""In which status each step must be done; where it was done before, it is a repeat."""
LEADS_TO = {
    "pay": Status.PAID,
    "pack": Status.PACKED,
    "ship": Status.SHIPPED,
    "deliver": Status.DELIVERED,
    "cancel": Status.CANCELLED,
    "expire": Status.CANCELLED,
    "refund": Status.REFUNDED,
}
RETURNS: dict[str, set[str]] = {
    "request_return": {Status.SHIPPED, Status.DELIVERED},
    "accept": {Return.Status.REQUESTED, Return.Status.ACCEPTED},
    "refuse": {*Return.OPEN, Return.Status.REFUSED},
    "withdraw": {*Return.OPEN, Return.Status.WITHDRAWN},
    "receive": {Return.Status.ACCEPTED, Return.Status.RECEIVED},
}
"""In which status of the order a return is asked for, and of the return each step is taken."""
NEXT = {
    Status.PLACED: "pay",
    Status.PAID: "pack",
    Status.PACKED: "ship",
    Status.SHIPPED: "deliver",
    Status.DELIVERED: "refund",
}
"""The step that brings an order on, else few games would come to the end of an order's life."""
BEFORE_RETURNS = {Status.PLACED, Status.PAID, Status.PACKED, Status.SHIPPED}
"""From here an order is brought to its customer before something is returned."""


class Crash(Exception):
    """The process died here."""


def dying_submit(*, stock: bool, sales: bool) -> Any:
    """Return a `submit` that dies: what each writer was given to do is done, nothing else is."""

    def submit(draft: Draft) -> Any:
        connection.close()
        if sales:
            counted = placement.count_sales(writers(), draft, time.monotonic() + 20)
            assert counted is not None
            counted.result(grace=20)
        if stock:
            writers().stock.submit(draft, deadline=time.monotonic() + 20).result(grace=20)
        raise Crash

    return submit


def drift(*, but_sales: bool) -> list[str]:
    """Return what the audit would find now, without the minute that it gives to sales."""
    found = []
    with audit.snapshot() as cursor:
        for one in audit.invariants():
            cursor.execute(of_everything(one).replace(SETTLED, "now()"))
            words = [row[0] for row in cursor.fetchall()]
            if words and not (but_sales and one.name.startswith("sales:")):
                found.append(f"{one.name}: {words}")
    return found


class Orders(RuleBasedStateMachine):
    """A small shop, in which orders are placed, repeated, changed and lost on their way."""

    requests: ClassVar[Bundle[OrderRequest]] = Bundle("requests")
    holds: ClassVar[Bundle[UUID | None]] = Bundle("holds")
    done: ClassVar[set[str]] = set()
    """The steps that were done in their time, in any game."""

    @initialize()
    def open_the_shop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        for sku in SKUS:
            add_product(sku, stock=12, price="2.50")
        add_product(PRINTED, stock=12, price="2.50", personalisation="picture")
        Voucher.objects.create(code=CODE, kind="percent", value=10, limit=USES)
        self.has_crashed = False
        self.placed: dict[str, UUID] = {}

    # ── What happens ────────────────────────────────────────────────────────────────────────
    @rule(target=requests, lines=QUANTITIES, is_printed=st.booleans(), code=CODES)
    def place(self, lines: dict[str, int], is_printed: bool, code: str = "") -> OrderRequest:
        request = self._request(lines, is_printed, voucher=code)
        self._place(request)
        return request

    @rule(target=holds, lines=QUANTITIES, replaces=st.none() | holds)
    def hold(self, lines: dict[str, int], replaces: UUID | None) -> UUID | None:
        wanted = [RequestedLine(sku, quantity) for sku, quantity in lines.items()]
        try:
            return hold(wanted, replaces=replaces).id
        except OutOfStock:
            return None

    @rule(target=requests, hold_id=holds, lines=QUANTITIES, code=CODES)
    def place_what_is_held(
        self, hold_id: UUID | None, lines: dict[str, int], code: str
    ) -> OrderRequest:
        request = self._request(lines, is_printed=False, voucher=code, hold=hold_id)
        self._place(request)
        return request

    @rule(hold_id=holds)
    def give_a_hold_back(self, hold_id: UUID | None) -> None:
        if hold_id:
            assert give_back(hold_id) != Hold.Status.OPEN

    @rule(hold_id=holds)
    def let_a_hold_expire(self, hold_id: UUID | None) -> None:
        was_open = Hold.objects.filter(pk=hold_id, status=Hold.Status.OPEN)
        expired = was_open.update(expires_at=Now())
        assert give_back_expired() == (expired or None)

    @rule(
        target=requests,
        lines=QUANTITIES,
        is_printed=st.booleans(),
        done=st.sampled_from([(True, True), (True, False), (False, True), (False, False)]),
        hold_id=st.none() | holds,
        code=CODES,
    )
    def place_and_crash(
        self,
        lines: dict[str, int],
        is_printed: bool,
        done: tuple[bool, bool],
        hold_id: UUID | None = None,
        code: str = "",
    ) -> OrderRequest:
        request = self._request(lines, is_printed, voucher=code, hold=hold_id)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(placement, "submit", dying_submit(stock=done[0], sales=done[1]))
            with pytest.raises((Crash, OutOfStock, VoucherRefused)):
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

    @rule(request=requests, steps=STEPS, has_returns=st.booleans())
    def take_the_next_steps(self, request: OrderRequest, steps: int, has_returns: bool) -> None:
        for _ in range(steps):
            order = self._order(request)
            step = NEXT.get(Status(order.status)) if order else None
            if order and order.status == Status.DELIVERED and has_returns:
                for end in ("refuse", "receive"):
                    self.return_some(request, 1, end)
            elif step is not None:
                getattr(self, step)(request)

    @rule(request=requests)
    def pay(self, request: OrderRequest) -> None:
        order = self._order(request)
        if order is not None:
            due = order.total - paid_so_far(order)
            if due:  # else it is paid, and another payment of nothing is a part that is refused
                reference = f"{due} of the rest"
                self._ask("pay", request, method="card", reference=reference, amount=due)

    @rule(request=requests)
    def pay_a_part(self, request: OrderRequest) -> None:
        order = self._order(request)
        if order is not None and not order.payments.exists():
            part: dict[str, Any] = {"method": "card", "amount": Decimal("0.50")}
            self._ask("pay", request, leads_to=Status.PLACED, reference="part", **part)

    @rule(request=requests)
    def pack(self, request: OrderRequest) -> None:
        self._ask("pack", request)

    @rule(request=requests)
    def ship(self, request: OrderRequest) -> None:
        self._ask("ship", request, carrier="DHL", tracking_number="JD01")

    @rule(request=requests)
    def deliver(self, request: OrderRequest) -> None:
        self._ask("deliver", request)

    @rule(request=requests, crash=st.booleans())
    def cancel(self, request: OrderRequest, crash: bool) -> None:
        with self._maybe_dead_before_settle("orders.lifecycle.transitions.settle", crash):
            self._ask("cancel", request, reason="x")

    @rule(request=requests, crash=st.booleans())
    def expire(self, request: OrderRequest, crash: bool) -> None:
        order = self._order(request)
        may = order is None or order.status == Status.CANCELLED or not order.payments.exists()
        past = timedelta(hours=49)
        Order.objects.filter(pk=self._id(request)).update(
            placed_at=F("placed_at") - past, changed_at=F("changed_at") - past
        )
        with self._maybe_dead_before_settle("orders.lifecycle.transitions.settle", crash):
            self._ask("expire", request, may=may, hours=48)

    @rule(request=requests, restock=st.booleans(), crash=st.booleans())
    def refund(self, request: OrderRequest, restock: bool = True, crash: bool = False) -> None:
        order = self._order(request)
        may = order is None or not held_units(order)
        with self._maybe_dead_before_settle("orders.lifecycle.refunds.settle", crash):
            self._ask("refund", request, may=may, refund_id=uuid4(), restock=restock, lines=None)

    @rule(request=requests, lines=QUANTITIES, restock=st.booleans(), crash=st.booleans())
    def refund_a_part(
        self, request: OrderRequest, lines: dict[str, int], restock: bool, crash: bool
    ) -> None:
        with self._maybe_dead_before_settle("orders.lifecycle.refunds.settle", crash):
            try:
                transitions.refund(
                    order_id=self._id(request), refund_id=uuid4(), restock=restock, lines=lines
                )
            except TransitionError:
                pass  # the order may not have these units, or not any more

    # ── Returns ─────────────────────────────────────────────────────────────────────────────
    def return_some(self, request: OrderRequest, units: int, end: str) -> None:
        """Bring the order to its customer, who returns units of it, as far as this step."""
        while (order := self._order(request)) and order.status in BEFORE_RETURNS:
            getattr(self, NEXT[Status(order.status)])(request)
        self.ask_for_a_return(request, units)
        if end == "refuse":  # who changed their mind may ask again
            self.take_a_step_of_a_return(request, "withdraw")
            self.ask_for_a_return(request, units)
        if end == "receive":
            self.take_a_step_of_a_return(request, "accept")
        if end != "request_return":
            self.take_a_step_of_a_return(request, end, came=units, back=1)

    def ask_or_take(self, request: Any, step: str) -> None:
        if step == "request_return":
            self.ask_for_a_return(request, 1)
        else:
            self.take_a_step_of_a_return(request, step)

    def ask_for_a_return(self, request: OrderRequest, units: int) -> None:
        order = self._order(request)
        line = order.lines.exclude(sku=PRINTED).first() if order else None
        if order is None or line is None:
            return
        left = line.quantity - line.refunded - held_units(order).get(line.pk, 0)
        may = order.status in RETURNS["request_return"] and units <= left
        wish = {"order_id": order.pk, "return_id": uuid4(), "lines": {line.sku: units}}
        self._take("request_return", may=may, today=timezone.localdate(), **wish)

    @rule(
        request=requests,
        step=st.sampled_from([step for step in RETURNS if step != "request_return"]),
        came=st.integers(1, 2),
        back=st.integers(0, 2),
        crash=st.booleans(),
    )
    def take_a_step_of_a_return(
        self, request: OrderRequest, step: str, came: int = 1, back: int = 0, crash: bool = False
    ) -> None:
        """Take the step with the order's latest return: it is done if its time has come."""
        asked = Return.objects.filter(order=self._id(request)).last()
        row = asked.lines.select_related("line").first() if asked else None
        if asked is None or row is None:
            return
        may = asked.status in RETURNS[step]
        said: dict[str, Any] = {"answer": "worn"} if step == "refuse" else {}
        if step == "receive":
            is_repeat = (came, back) == (row.received, row.restocked)
            has_come = asked.status == Return.Status.RECEIVED
            may = may and (is_repeat if has_come else back <= came <= row.quantity)
            said = {"received": {row.line.sku: came}, "restocked": {row.line.sku: back}}
        with self._maybe_dead_before_settle(
            "orders.lifecycle.receiving.settle", crash and step == "receive"
        ):
            self._take(step, may=may, return_id=asked.pk, **said)

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
        except (OutOfStock, VoucherRefused) as refusal:
            assert request.key not in self.placed
            assert not Order.objects.filter(pk=self._id(request)).exists()
            if isinstance(refusal, VoucherRefused):
                assert Voucher.objects.get().used == USES
        else:
            assert placement.replayed == replayed
            assert self.placed.setdefault(request.key, placement.order.pk) == placement.order.pk

    def _id(self, request: OrderRequest) -> UUID:
        return order_id(source=request.source, user_id=request.user_id, key=request.key)

    def _order(self, request: OrderRequest) -> Order | None:
        return Order.objects.filter(pk=self._id(request)).first()

    def _request(self, lines: dict[str, int], is_printed: bool, **more: Any) -> OrderRequest:
        printed = [(PRINTED, 1, uploaded_file().token)] if is_printed else []
        return order_request(*lines.items(), *printed, address=ADDRESS, **more)

    def _ask(
        self,
        step: str,
        request: OrderRequest,
        *,
        may: bool = True,
        leads_to: Order.Status | None = None,
        **said: Any,
    ) -> None:
        """Ask for the step: it must be done if its time has come, else refused."""
        order = self._order(request)
        may = may and order is not None and order.status in ALLOWED[step]
        refusal: TransitionError | None = None
        try:
            after = getattr(transitions, step)(order_id=self._id(request), **said)
        except TransitionError as error:
            refusal = error
        status = order.status if order else "unknown"
        if may:
            assert refusal is None, f"{step} was refused to an order that is {status}: {refusal}"
            assert after.status == (leads_to or LEADS_TO[step])
            self.done.add(step)
        else:
            assert refusal is not None, f"{step} was done with an order that was {status}"

    def _take(self, step: str, *, may: bool, **said: Any) -> None:
        """Take the step of a return: it must be done if its time has come, else refused."""
        refusal: TransitionError | None = None
        try:
            getattr(receiving if step == "receive" else returns, step)(**said)
        except TransitionError as error:
            refusal = error
        assert (refusal is None) == may, f"{step} of {said}: {refusal or 'done'}"
        if may:
            self.done.add(step)

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
    """Let hypothesis play; the same games each time, unless it is told otherwise.

    Many short games rather than a few long ones: Hypothesis leaves some rules out of each game.
    """
    usual = {"derandomize": True, "max_examples": 22, "stateful_step_count": 25}
    run_state_machine_as_test(
        machine,
        settings=settings(
            **usual | chosen,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def refuse(*, order_id: UUID, **said: Any) -> Order:
    """A transition that always refuses."""
    raise TransitionError("never")


@pytest.fixture(autouse=True)
def room_for_uploads(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.MAX_UPLOADS_PER_HOUR = 10_000


@pytest.mark.timeout(900)  # the whole audit after each of 400 steps
def test_whatever_happens_in_whatever_order_the_books_are_right() -> None:
    Orders.done.clear()
    play(Orders)
    assert Orders.done == {*ALLOWED, *RETURNS}, "each step was played in its time"


def test_control_the_games_find_a_transition_that_always_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last step of an order's way: games that reach it reach the others."""
    monkeypatch.setattr(transitions, "deliver", refuse)

    with pytest.raises(AssertionError, match="deliver was refused"):
        play(Orders, phases=[Phase.generate], report_multiple_bugs=False)  # the first is enough


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_whatever_happens_in_many_more_orders_the_books_are_right() -> None:
    Orders.done.clear()
    play(Orders, derandomize=False, max_examples=300, stateful_step_count=80)
    assert Orders.done == {*ALLOWED, *RETURNS}, "each step was played in its time"


WAY: dict[str, tuple[str, ...]] = {
    "pay": (),
    "pack": ("pay",),
    "ship": ("pay", "pack"),
    "deliver": ("pay", "pack", "ship"),
    "cancel": (),
    "expire": (),
    "refund": ("pay",),
}
"""The steps that lead to each step."""


@pytest.mark.parametrize("step", ALLOWED)
def test_control_a_transition_that_always_refuses_is_found(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a game that is laid out, so that no step depends on what is drawn."""
    shop = Orders()
    shop.open_the_shop()
    request = shop.place({"TEA": 1}, False)
    for earlier in WAY[step]:
        getattr(shop, earlier)(request)
    monkeypatch.setattr(transitions, step, refuse)
    crash = {"crash": False} if step in ("cancel", "expire") else {}

    with pytest.raises(AssertionError, match=f"{step} was refused"):
        getattr(shop, step)(request, **crash)


@pytest.mark.parametrize("settles", [True, False])
def test_control_without_settle_a_crash_leaves_sales_that_are_wrong(settles: bool) -> None:
    shop = Orders()
    shop.open_the_shop()
    shop.place_and_crash({"TEA": 2}, False, (True, False))
    shop.has_crashed = False  # from here on, everything must be right

    if settles:
        shop.settle_what_is_due()

    assert drift(but_sales=True) == []
    assert (drift(but_sales=False) == []) is settles


@pytest.mark.parametrize("step", RETURNS)
def test_control_a_step_of_a_return_that_always_refuses_is_found(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Orders()
    shop.open_the_shop()
    request: Any = shop.place({"TEA": 2}, False)
    shop.return_some(request, 1, "accept" if step == "receive" else "request_return")
    monkeypatch.setattr(receiving if step == "receive" else returns, step, refuse_return)

    with pytest.raises(AssertionError, match=f"{step} of .*: never"):
        shop.ask_or_take(request, step)


def refuse_return(**said: Any) -> Return:
    """A step that always refuses."""
    raise TransitionError("never")

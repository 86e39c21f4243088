"""The contract of each step of an order's life, for one caller at a time."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test import override_settings
from django.utils import translation

from media_jobs.models import MediaJob
from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle.errors import (
    DoneDifferently,
    InvalidTransition,
    OrderBusy,
    TransitionError,
    UnknownOrder,
    WrongStatus,
)
from orders.lifecycle.steps import one_transaction
from orders.lifecycle.transitions import cancel, correct_parcel, deliver, pack, pay, refund, ship
from orders.models import (
    Order,
    OrderLine,
    Payment,
    ProductSales,
    Refund,
    RefundLine,
    SalesEntry,
    Stock,
    StockMovement,
    User,
)
from orders.placing.settle import settle_due
from orders.placing.writers import drain
from project.monitoring.audit import run_audit
from tests.factories import add_product
from tests.order_states import (
    cancelled,
    delivered,
    make_old,
    packed,
    paid,
    placed,
    refund_order,
    refunded,
    shipped,
)
from tests.races import locked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

AT: dict[str, Callable[..., Order]] = {
    "placed": placed,
    "paid": paid,
    "packed": packed,
    "shipped": shipped,
    "delivered": delivered,
    "cancelled": cancelled,
    "refunded": refunded,
}
STEPS: dict[str, Callable[[Order], Order]] = {
    "paid": lambda order: pay(
        order_id=order.pk, method="card", reference="R-2", amount=order.total
    ),
    "packed": lambda order: pack(order_id=order.pk),
    "shipped": lambda order: ship(order_id=order.pk, carrier="DHL", tracking_number="JD01"),
    "delivered": lambda order: deliver(order_id=order.pk),
    "cancelled": lambda order: cancel(order_id=order.pk, reason="broken in store"),
    "refunded": lambda order: refund_order(order.pk),
}
AGAIN = STEPS | {
    "paid": lambda order: pay(
        order_id=order.pk, method="transfer", reference="R-1", amount=order.total
    )
}
LEADS_TO = {
    "placed": ("paid", "cancelled"),
    "paid": ("packed", "cancelled", "refunded"),
    "packed": ("shipped", "cancelled", "refunded"),
    "shipped": ("delivered", "refunded"),
    "delivered": ("refunded",),
    "cancelled": (),
    "refunded": (),
}


def kinds(order: Order) -> list[str]:
    return list(order.events.values_list("kind", flat=True))


def messages(order: Order, event: str) -> list[tuple[str, str]]:
    found = Notification.objects.filter(order_id=order.pk, event=event).order_by("channel")
    return list(found.values_list("channel", "status"))


def settled() -> None:
    """Wait until the writers have done what they were asked."""
    assert drain(timeout=20)


def state() -> list[Any]:
    """All that a transition can change."""
    tables = (
        Order, OrderLine, Payment, Refund, RefundLine, StockMovement, Stock, Notification,
    )  # fmt: skip
    return [list(table.objects.order_by("pk").values()) for table in tables]


# ── The way from one status to the next ─────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("before", "step"), [(before, step) for before, steps in LEADS_TO.items() for step in steps]
)
def test_a_step_moves_the_order_and_writes_its_timeline(before: str, step: str) -> None:
    add_product("TEA")
    order = AT[before](("TEA", 2))

    after = STEPS[step](order)

    assert after.status == step
    assert kinds(order)[-1] == step
    assert after.changed_at > order.changed_at
    stored = Order.objects.get(pk=order.pk)
    assert (stored.status, stored.changed_at) == (after.status, after.changed_at)
    settled()
    assert run_audit().is_clean


@pytest.mark.parametrize("before", LEADS_TO)
def test_a_step_that_the_status_does_not_lead_to_is_refused_and_says_why(before: str) -> None:
    add_product("TEA")
    order = AT[before](("TEA", 2))
    left = state()

    for step in STEPS.keys() - {before, *LEADS_TO[before]}:
        with pytest.raises(WrongStatus, match=f"Order {order} is {before}: it "):
            STEPS[step](order)

    assert state() == left


def test_a_refusal_speaks_the_language_of_who_asks() -> None:
    add_product("TEA")
    order = shipped()

    with translation.override("zh-hans"), pytest.raises(WrongStatus) as refusal:
        cancel(order_id=order.pk, reason="x")

    assert str(refusal.value) == f"订单 {order} 的状态为“已发货”，无法取消。"


def test_a_repeated_step_returns_the_order_and_changes_nothing() -> None:
    add_product("TEA")
    for status, step in AGAIN.items():
        order = AT[status](("TEA", 2))
        left = state()

        assert step(order).status == status

        assert state() == left


def test_an_order_that_does_not_exist_is_said_to() -> None:
    for step in STEPS.values():
        with pytest.raises(UnknownOrder, match="There is no such order"):
            step(Order(id=uuid4(), total=Decimal(1)))


def test_a_step_inside_a_transaction_is_refused() -> None:
    add_product("TEA")
    order = placed()
    left = state()

    for step in STEPS.values():
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            step(order)

    assert state() == left


def test_the_timeline_says_who_and_why() -> None:
    add_product("TEA")
    clerk = User.objects.create_user("clerk")
    order = packed()

    ship(order_id=order.pk, carrier=" DHL ", tracking_number="JD01", user=clerk)

    event = order.events.get(kind="shipped")
    assert event.user == clerk
    assert event.detail == {"carrier": "DHL", "tracking_number": "JD01"}


def test_a_step_that_fails_halfway_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("TEA")
    order = paid()
    left = state()

    def broken(**_message: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("orders.lifecycle.steps.order_messages", broken)
    with pytest.raises(ZeroDivisionError):
        cancel(order_id=order.pk, reason="x")

    assert state() == left


def test_a_locked_product_makes_a_cancel_busy_instead_of_hanging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product = add_product("TEA")
    order = placed()
    monkeypatch.setattr("orders.lifecycle.steps.LOCK_TIMEOUT", "100ms")

    with locked("orders_stock", product.pk), pytest.raises(OrderBusy, match="try again"):
        cancel(order_id=order.pk, reason="x")

    assert cancel(order_id=order.pk, reason="x").status == "cancelled"


@pytest.mark.parametrize(
    ("state", "raised"),
    [
        ("40P01", OrderBusy),
        ("57014", OrderBusy),
        ("25006", InternalError),
        ("23505", IntegrityError),
    ],
)
def test_what_may_be_gone_in_a_moment_is_told_as_busy(state: str, raised: type[Exception]) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"

    with pytest.raises(raised), one_transaction(), connection.cursor() as cursor:
        cursor.execute(statement)


# ── Messages ────────────────────────────────────────────────────────────────────────────────
@override_settings(SMS_URL="http://127.0.0.1:1/sms")
@pytest.mark.parametrize(
    ("status", "channels"),
    [
        ("paid", ["email"]),
        ("packed", []),
        ("shipped", ["email", "sms"]),
        ("delivered", ["email"]),
        ("cancelled", ["email", "sms"]),
        ("refunded", ["email"]),
    ],
)
def test_a_step_queues_its_messages(status: str, channels: list[str]) -> None:
    add_product("TEA")

    order = AT[status](("TEA", 2), phone="+4930123456")

    assert messages(order, f"order_{status}") == [(channel, "queued") for channel in channels]


def test_a_message_knows_the_order_and_what_happened() -> None:
    add_product("TEA", price="4.20")

    order = shipped(("TEA", 2))

    context = Notification.objects.get(order_id=order.pk, event="order_shipped").context
    assert (context["number"], context["total"]) == (str(order), "8.40")
    assert (context["carrier"], context["tracking_number"]) == ("DHL", "JD01")
    assert [line["name"] for line in context["lines"]] == ["Thing TEA"]


# ── Payments ────────────────────────────────────────────────────────────────────────────────
def test_an_order_is_paid_when_its_parts_sum_to_its_total() -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))

    first = pay(order_id=order.pk, method="card", reference="A", amount=Decimal("4.00"))
    assert first.status == "placed"
    assert messages(order, "order_paid") == []
    second = pay(order_id=order.pk, method="cash", reference="B", amount=Decimal("6.00"))

    assert second.status == "paid"
    assert kinds(order) == ["placed", "part_paid", "paid"]
    assert run_audit().is_clean


def test_a_payment_told_again_is_taken_once_even_later() -> None:
    add_product("TEA", price="5.00")
    order = shipped(("TEA", 2))
    left = state()

    again = pay(order_id=order.pk, method="transfer", reference="R-1", amount=Decimal("10.00"))

    assert again.status == "shipped"
    assert state() == left


def test_a_payment_told_again_with_another_amount_is_refused() -> None:
    add_product("TEA", price="5.00")
    order = paid(("TEA", 2))

    with pytest.raises(DoneDifferently, match=r"Payment R-1 was taken already, as €10\.00"):
        pay(order_id=order.pk, method="transfer", reference="R-1", amount=Decimal("9.00"))


def test_an_amount_that_cannot_be_is_refused() -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))

    for amount in ("10.01", "0", "-1", "0.001", "NaN", "Infinity"):
        with pytest.raises(InvalidTransition):
            pay(order_id=order.pk, method="card", reference="A", amount=Decimal(amount))

    assert not Payment.objects.exists()


def test_free_goods_are_paid_with_nothing() -> None:
    add_product("GIFT", price="0.00")

    assert paid(("GIFT", 1)).status == "paid"
    assert run_audit().is_clean


def test_a_payment_needs_a_method_and_a_reference() -> None:
    add_product("TEA")
    order = placed()
    payment: dict[str, Any] = {"method": "card", "reference": "A", "amount": order.total}

    for wrong in (
        {"method": "barter"},
        {"reference": " "},
        {"reference": "x" * 101},
        {"reference": "a\0b"},
    ):
        with pytest.raises(InvalidTransition):
            pay(order_id=order.pk, **payment | wrong)


# ── Shipping ────────────────────────────────────────────────────────────────────────────────
def test_another_parcel_is_not_a_repeat() -> None:
    add_product("TEA")
    order = shipped()

    with pytest.raises(DoneDifferently, match="another parcel"):
        ship(order_id=order.pk, carrier="DHL", tracking_number="JD02")


# ── Cancelling ──────────────────────────────────────────────────────────────────────────────
def test_a_cancelled_order_gives_stock_and_sales_back() -> None:
    tea, cup = add_product("TEA", stock=10, price="5.00"), add_product("CUP", stock=10)
    order = placed(("TEA", 3), ("CUP", 1))
    other = placed(("TEA", 1))

    cancel(order_id=order.pk, reason="broken in store")

    settled()
    assert Stock.objects.get(product=tea).available == 9
    assert Stock.objects.get(product=cup).available == 10
    back = StockMovement.objects.filter(kind="cancel").order_by("product__sku")
    assert list(back.values_list("product__sku", "quantity", "order", "reason")) == [
        ("CUP", 1, order.pk, "broken in store"),
        ("TEA", 3, order.pk, "broken in store"),
    ]
    assert ProductSales.objects.get(product=tea).units == 1
    assert ProductSales.objects.get(product=tea).amount == Decimal("5.00")
    assert SalesEntry.objects.get().order_id == other.pk
    assert run_audit().is_clean


def test_cancelling_a_paid_order_gives_the_money_back() -> None:
    add_product("TEA", price="5.00")
    order = paid(("TEA", 2))

    cancel(order_id=order.pk, reason="broken in store")

    assert Refund.objects.get().amount == Decimal("10.00")
    assert order.events.get(kind="cancelled").detail["given_back"] == "10.00"
    settled()
    assert run_audit().is_clean


def test_cancelling_what_was_refunded_in_part_takes_back_only_the_rest() -> None:
    add_product("TEA", stock=10, price="5.00")
    order = paid(("TEA", 4))
    refund_order(order.pk, {"TEA": 1}, restock=True)
    refund_order(order.pk, {"TEA": 1}, restock=False)

    cancel(order_id=order.pk, reason="broken in store")

    assert Stock.objects.get().available == 9
    assert sum(Refund.objects.values_list("amount", flat=True)) == Decimal("20.00")
    settled()
    assert not SalesEntry.objects.exists()
    assert run_audit().is_clean


def test_staff_must_say_why_they_cancel() -> None:
    add_product("TEA")

    with pytest.raises(InvalidTransition, match="Reason: This field is required"):
        cancel(order_id=placed().pk)


def test_a_shopper_may_cancel_until_the_order_is_packed() -> None:
    add_product("TEA")
    early, late = paid(), packed()

    assert cancel(order_id=early.pk, by_shopper=True).status == "cancelled"
    with pytest.raises(WrongStatus, match="is packed: it can't be cancelled"):
        cancel(order_id=late.pk, by_shopper=True)


def test_a_crash_before_settle_is_mended_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("TEA")
    order = placed()
    settled()
    monkeypatch.setattr("orders.lifecycle.transitions.settle", lambda order_id: None)
    cancel(order_id=order.pk, reason="x")
    assert ProductSales.objects.get().units == 2  # the control: nothing else corrects it
    make_old()

    settle_due()

    assert ProductSales.objects.get().units == 0


# ── Refunds ─────────────────────────────────────────────────────────────────────────────────
def test_a_refund_of_some_units_is_recorded_by_line() -> None:
    tea, cup = (
        add_product("TEA", stock=10, price="5.00"),
        add_product("CUP", stock=10, price="3.00"),
    )
    order = delivered(("TEA", 3), ("CUP", 2))

    after = refund_order(order.pk, {"TEA": 2, "CUP": 1}, restock=False, reason="chipped")

    assert after.status == "delivered"
    assert dict(order.lines.values_list("sku", "refunded")) == {"TEA": 2, "CUP": 1}
    made = Refund.objects.get()
    assert (made.amount, made.restocked, made.reason) == (Decimal("13.00"), False, "chipped")
    assert dict(made.lines.values_list("line__sku", "quantity")) == {"TEA": 2, "CUP": 1}
    assert Stock.objects.get(product=tea).available == 7
    settled()
    assert ProductSales.objects.get(product=tea).units == 1
    assert ProductSales.objects.get(product=cup).amount == Decimal("3.00")
    assert run_audit().is_clean


def test_restocked_units_are_for_sale_again() -> None:
    add_product("TEA", stock=10)
    order = paid(("TEA", 3))

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk, {"TEA": 1})

    assert Stock.objects.get().available == 9
    assert StockMovement.objects.filter(kind="refund", quantity=1).count() == 2
    settled()
    assert run_audit().is_clean


def test_an_order_is_refunded_once_all_of_it_is() -> None:
    add_product("TEA", price="5.00")
    order = delivered(("TEA", 3))

    assert refund_order(order.pk, {"TEA": 1}).status == "delivered"
    assert refund_order(order.pk, {"TEA": 2}).status == "refunded"

    assert kinds(order)[-2:] == ["part_refunded", "refunded"]
    assert messages(order, "order_refunded") == [("email", "queued")] * 2
    assert sum(Refund.objects.values_list("amount", flat=True)) == order.total
    settled()
    assert not SalesEntry.objects.exists()
    assert run_audit().is_clean


def test_the_last_refund_gives_the_delivery_back() -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))
    quote = {"carrier": "post", "service": "std", "label": "Post", "days": 2}
    Order.objects.update(delivery_total="4.90", total="14.90", delivery=quote)
    pay(order_id=order.pk, method="card", reference="A", amount=Decimal("14.90"))

    refund_order(order.pk, {"TEA": 1})
    refund_order(order.pk)

    amounts = sorted(Refund.objects.values_list("amount", flat=True))
    assert amounts == [Decimal("5.00"), Decimal("9.90")]


def test_the_same_refund_again_is_made_once() -> None:
    add_product("TEA", stock=10)
    order = paid(("TEA", 3))
    wanted: dict[str, Any] = {
        "order_id": order.pk,
        "refund_id": uuid4(),
        "restock": True,
        "lines": {"TEA": 1},
    }
    refund(**wanted)
    left = state()

    assert refund(**wanted).status == "paid"

    assert state() == left


def test_another_refund_under_the_same_id_is_refused() -> None:
    add_product("TEA")
    wanted: dict[str, Any] = {
        "order_id": paid(("TEA", 3)).pk,
        "refund_id": uuid4(),
        "restock": True,
        "lines": {"TEA": 1},
    }
    refund(**wanted)

    for change in ({"lines": {"TEA": 2}}, {"restock": False}, {"order_id": paid().pk}):
        with pytest.raises(DoneDifferently, match="made already"):
            refund(**wanted | change)


def test_what_the_order_has_not_got_is_not_refunded() -> None:
    add_product("TEA")
    order = paid(("TEA", 3))
    left = state()

    for lines, said in (
        ({"TEA": 4}, "Only 3 units of “Thing TEA” are left to refund"),
        ({"CUP": 1}, "The order has no “CUP” to refund"),
        ({"TEA": 0}, "at least one unit"),
        ({"TEA": -1}, "at least one unit"),
        ({}, "at least one unit"),
    ):
        with pytest.raises(TransitionError, match=said):
            refund_order(order.pk, lines)

    assert state() == left


# ── What the database itself refuses ────────────────────────────────────────────────────────
MISFITS = [
    ("UPDATE orders_orderline SET refunded = 3", "line_is_refunded_at_most_once"),
    ("UPDATE orders_orderline SET refunded = -1", "line_is_refunded_at_most_once"),
    ("UPDATE orders_order SET status = 'lost'", "order_status_is_known"),
    ("UPDATE orders_payment SET amount = -1", "payment_is_negative_if_it_undoes_one"),
    (
        "INSERT INTO orders_payment (order_id, method, reference, amount)"
        " SELECT order_id, method, reference, 1 FROM orders_payment",
        "payment_once_per_reference",
    ),
    ("UPDATE orders_refund SET amount = -1", "refund_is_not_negative"),
    ("UPDATE orders_refundline SET quantity = 0", "refund_line_has_a_quantity"),
    (
        "INSERT INTO orders_refundline (refund_id, line_id, quantity)"
        " SELECT refund_id, line_id, 1 FROM orders_refundline",
        "refund_line_once",
    ),
    (
        "INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity, refund_id)"
        " SELECT order_id, product_id, kind, quantity, refund_id FROM orders_stockmovement"
        " WHERE kind = 'order'",
        "movement_once_per_order",
    ),
    (
        "INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity, refund_id)"
        " SELECT order_id, product_id, kind, quantity, refund_id FROM orders_stockmovement"
        " WHERE kind = 'refund'",
        "movement_once_per_order",
    ),
    (
        "INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity)"
        " SELECT order_id, product_id, kind, 1 FROM orders_stockmovement"
        " WHERE kind = 'refund'",
        "movement_fits_its_kind",
    ),
]


def test_a_ledger_that_does_not_fit_is_refused() -> None:
    add_product("TEA")
    refund_order(paid(("TEA", 2)).pk, {"TEA": 1})

    for statement, constraint in MISFITS:
        with pytest.raises(IntegrityError, match=constraint), connection.cursor() as cursor:
            cursor.execute(statement)


# ── Picked up, or sent ──────────────────────────────────────────────────────────────────────
ADDRESS = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1", "country": "GB"}


def test_an_order_that_is_picked_up_needs_no_parcel() -> None:
    add_product("TEA")

    assert deliver(order_id=packed(address={}).pk).status == "delivered"


def test_an_order_that_is_picked_up_is_not_shipped() -> None:
    add_product("TEA")
    order = packed(address={})

    with pytest.raises(InvalidTransition, match="is picked up in the shop: mark it as delivered"):
        ship(order_id=order.pk, carrier="DHL")

    assert Order.objects.get().status == "packed"


def test_an_order_that_is_sent_is_delivered_only_once_it_is_shipped() -> None:
    add_product("TEA")
    order = packed(address=ADDRESS)

    with pytest.raises(WrongStatus, match="is packed: it can't be delivered"):
        deliver(order_id=order.pk)


def test_a_parcels_number_is_corrected_and_the_shopper_told() -> None:
    add_product("TEA")
    order = shipped()

    correct_parcel(order_id=order.pk, carrier="UPS", tracking_number="1Z9")
    correct_parcel(order_id=order.pk, carrier="UPS", tracking_number="1Z9")  # a double click
    correct_parcel(order_id=order.pk, carrier="UPS", tracking_number="１Z\u200b9")  # copied

    assert kinds(order)[-2:] == ["shipped", "parcel_corrected"]
    assert len(messages(order, "order_shipped")) == 2
    told = Notification.objects.filter(order_id=order.pk, event="order_shipped")
    second: Any = told.latest("created_at")
    assert "right details of your parcel" in render(second).text
    assert "1Z9" in render(second).text


def test_a_parcel_can_be_corrected_back() -> None:
    add_product("TEA")
    order = shipped()

    correct_parcel(order_id=order.pk, carrier="UPS", tracking_number="1Z9")
    correct_parcel(order_id=order.pk, carrier="DHL", tracking_number="JD01")

    assert order.events.filter(kind="parcel_corrected").count() == 2


def test_only_a_parcel_on_its_way_is_corrected() -> None:
    add_product("TEA")
    for order in (packed(), delivered()):
        with pytest.raises(WrongStatus, match="its parcel can't be corrected"):
            correct_parcel(order_id=order.pk, carrier="UPS")


def test_a_cancelled_orders_pass_is_not_drawn_and_its_messages_still_go_out() -> None:
    add_product("TEA")
    order = placed()

    cancel(order_id=order.pk, reason="x")

    assert MediaJob.objects.get(order_id=order.pk).status == "cancelled"
    assert ("email", "queued") in messages(order, "order_placed")
    assert ("email", "queued") in messages(order, "order_cancelled")

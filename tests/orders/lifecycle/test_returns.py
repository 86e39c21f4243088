"""Returns: who may ask, what each step does to goods, money, timeline and messages."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle.errors import (
    ChangedMeanwhile,
    DoneDifferently,
    InvalidTransition,
    TransitionError,
)
from orders.lifecycle.receiving import receive
from orders.lifecycle.return_steps import UnknownReturn, WrongReturnStatus
from orders.lifecycle.return_units import returnable
from orders.lifecycle.returns import accept, refuse, withdraw
from orders.models import (
    Order,
    OrderEvent,
    Refund,
    RefundLine,
    Return,
    ReturnLine,
    Stock,
    StockMovement,
    User,
)
from orders.personal_data.person import find_person
from orders.personal_data.refusals import refusals
from tests.factories import add_product, uploaded_file
from tests.order_states import (
    accepted_return,
    ask_return,
    cancelled,
    delivered,
    packed,
    paid,
    placed,
    receive_return,
    refund_order,
    shipped,
)
from tests.races import all_is_right

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
ADDRESS = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}


@pytest.fixture(autouse=True)
def tea(settings: Any) -> None:
    settings.STAFF_EMAILS = ["desk@shop.example"]
    settings.RETURN_DAYS, settings.LATE_RETURNS = 14, "refuse"
    add_product("TEA", stock=100, price="5.00")


def sent(order: Order) -> list[str]:
    """Return the events of the messages about the order's returns, the oldest first."""
    made = Notification.objects.filter(order_id=order.pk, event__startswith="order_return")
    return list(made.order_by("created_at").values_list("event", flat=True))


def returned_kinds(order: Order) -> list[str]:
    return [event.kind for event in order.events.all() if event.kind.startswith("return_")]


def days_after_delivery(order: Order, days: int) -> date:
    event = order.events.get(kind="delivered")
    return timezone.localdate(event.created_at) + timedelta(days=days)


# ── The way of a return ─────────────────────────────────────────────────────────────────────────
def test_from_the_wish_to_the_refund_each_step_has_its_entry_and_its_message() -> None:
    order = delivered(("TEA", 3))
    asked = ask_return(order, {"TEA": 2}, reason="too strong")
    accept(return_id=asked.pk, answer="by post, please")

    made = receive_return(asked, {"TEA": 2}, restocked={"TEA": 1})

    assert (made.status, made.answer) == ("received", "")
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, made.refund) == (Decimal("10.00"), "owed", refund)
    assert Stock.objects.get().available == 98
    assert [row.quantity for row in StockMovement.objects.filter(kind="refund")] == [1]
    order.refresh_from_db()
    assert (order.status, order.lines.get().refunded) == ("delivered", 2)
    assert [event.kind for event in order.events.all()][-4:] == [
        "return_requested",
        "return_accepted",
        "return_received",
        "part_refunded",
    ]
    assert sent(order) == [
        "order_return_requested",
        "order_return_accepted",
        "order_return_received",
    ]
    assert not Notification.objects.filter(event="order_refunded").exists()
    assert Notification.objects.filter(event="refund_owed").count() == 1
    assert all_is_right()


def test_the_staff_are_told_of_a_wish() -> None:
    ask_return(delivered(), reason="too strong")

    message = Notification.objects.get(event="return_requested")
    assert message.recipient == "desk@shop.example"
    text = render(message).text
    assert "Ada Lovelace would like to return items of order" in text
    assert "Reason: too strong" in text
    assert "2 × Thing TEA" in text


def test_fewer_units_may_come_and_the_others_can_be_asked_for_again() -> None:
    order = delivered(("TEA", 3))
    asked = accepted_return(order, {"TEA": 3})

    receive_return(asked, {"TEA": 1}, restocked={})

    assert order.lines.get().refunded == 1
    assert Stock.objects.get().available == 97
    row = ReturnLine.objects.get()
    assert (row.quantity, row.received, row.restocked) == (3, 1, 0)
    assert ask_return(order, {"TEA": 2}).status == "requested"
    assert all_is_right()


def test_the_return_of_all_units_refunds_the_order_with_its_delivery() -> None:
    order = delivered(("TEA", 2), address=ADDRESS)
    Order.objects.filter(pk=order.pk).update(
        delivery={"carrier": "swift", "service": "x", "label": "Swift", "days": 1},
        delivery_total=Decimal("4.90"),
        total=F("total") + Decimal("4.90"),
    )
    order.payments.create(method="cash", reference="post", amount=Decimal("4.90"))

    receive_return(accepted_return(order), {"TEA": 2})

    order.refresh_from_db()
    assert (order.status, Refund.objects.get().amount) == ("refunded", Decimal("14.90"))


def test_a_refusal_says_why_and_leaves_the_units() -> None:
    order = delivered()
    asked = ask_return(order)

    refuse(return_id=asked.pk, answer="worn")

    assert sent(order)[-1] == "order_return_refused"
    event = order.events.latest("pk")
    assert (event.kind, event.detail["reason"]) == ("return_refused", "worn")
    assert ask_return(order).status == "requested"


def test_a_refusal_needs_a_reason() -> None:
    asked = ask_return(delivered())

    with pytest.raises(InvalidTransition, match="Reason"):
        refuse(return_id=asked.pk, answer=" ")


def test_a_shopper_may_withdraw_until_it_has_come() -> None:
    order = delivered()
    asked = accepted_return(order)

    withdraw(return_id=asked.pk)

    assert sent(order)[-1] == "order_return_withdrawn"
    with pytest.raises(WrongReturnStatus, match="Only an accepted return can be received"):
        receive_return(asked, {"TEA": 2})


def test_an_accepted_return_whose_goods_never_come_is_refused() -> None:
    asked = accepted_return(delivered())

    assert refuse(return_id=asked.pk, answer="it never came").status == "refused"


# ── Who may ask, and until when ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "says"),
    [
        (placed, "you can cancel the order"),
        (paid, "you can cancel the order"),
        (packed, "once it was sent or picked up"),
        (cancelled, "nothing left of it"),
    ],
)
def test_what_was_not_sent_is_not_returned(state: Callable[[], Order], says: str) -> None:
    with pytest.raises(InvalidTransition, match=says):
        ask_return(state())


def test_what_is_on_its_way_may_be_returned() -> None:
    assert returnable(shipped(), today=date(2100, 1, 1)).refusal == ""


@pytest.mark.parametrize(
    ("days", "late", "is_allowed"),
    [(0, "refuse", True), (14, "refuse", True), (15, "refuse", False), (15, "ask", True)],
)
def test_the_time_ends_with_its_last_day_and_then_a_setting_decides(
    settings: Any, days: int, late: str, is_allowed: bool
) -> None:
    settings.LATE_RETURNS = late
    order = delivered()
    today = days_after_delivery(order, days)

    may = returnable(order, today=today)

    assert bool(may.units) is is_allowed
    assert bool(may.refusal) is not is_allowed
    if is_allowed:
        assert ask_return(order, today=today).is_late is (days > 14)
    else:
        with pytest.raises(InvalidTransition, match="answer one of our e-mails"):
            ask_return(order, today=today)


def test_the_day_is_the_shops(settings: Any) -> None:
    """Half past eleven at night in New York is the next day in UTC."""
    settings.TIME_ZONE = "America/New_York"
    order = delivered()
    event = order.events.get(kind="delivered")
    at_night = event.created_at.replace(year=2026, month=3, day=2, hour=4, minute=30)
    OrderEvent.objects.filter(pk=event.pk).update(created_at=at_night)

    with timezone.override("America/New_York"):
        assert returnable(order, today=date(2026, 3, 15)).until == date(2026, 3, 15)


def test_what_was_made_with_the_shoppers_file_is_not_returned(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    add_product("MUG", stock=9, price="8.00", personalisation="picture")
    printed: Any = ("MUG", 2, uploaded_file().token)
    order = delivered(printed, ("TEA", 1))

    assert {line.sku: units for line, units in returnable_of(order).items()} == {"TEA": 1}
    with pytest.raises(InvalidTransition, match="at most 0"):
        ask_return(order, {"MUG": 1})
    ask_return(order, {"TEA": 1})
    assert "made with your own file" in returnable(order, today=timezone.localdate()).refusal


def returnable_of(order: Order) -> Any:
    return returnable(order, today=timezone.localdate()).units


@pytest.mark.parametrize("lines", [{"TEA": 3}, {"CUP": 1}, {"TEA": 0}, {"TEA": -1}])
def test_no_more_than_was_bought_is_returned(lines: dict[str, int]) -> None:
    order = delivered()

    with pytest.raises(InvalidTransition):
        ask_return(order, lines)

    assert not Return.objects.exists()


def test_units_in_an_open_return_are_not_asked_for_again_and_not_refunded() -> None:
    order = delivered(("TEA", 3))
    ask_return(order, {"TEA": 2})

    with pytest.raises(InvalidTransition, match="at most 1"):
        ask_return(order, {"TEA": 2})
    with pytest.raises(InvalidTransition, match="2 units of “Thing TEA” are in open returns"):
        refund_order(order.pk, {"TEA": 2})
    with pytest.raises(InvalidTransition, match="are in open returns"):
        refund_order(order.pk)
    refund_order(order.pk, {"TEA": 1})
    assert all_is_right()


def test_refunded_units_are_not_returned() -> None:
    order = delivered(("TEA", 3))
    refund_order(order.pk, {"TEA": 2})

    with pytest.raises(InvalidTransition, match="at most 1"):
        ask_return(order, {"TEA": 2})


# ── Repeats and wrong steps ─────────────────────────────────────────────────────────────────────
def test_the_same_wish_is_one_return() -> None:
    order, return_id = delivered(("TEA", 4)), uuid4()

    for _again in range(2):
        ask_return(order, return_id=return_id)

    assert ReturnLine.objects.get().quantity == 2
    assert sent(order) == ["order_return_requested"]
    with pytest.raises(DoneDifferently):
        ask_return(order, {"TEA": 1}, return_id=return_id)


def test_each_step_repeated_changes_nothing() -> None:
    order = delivered(("TEA", 3))
    asked = ask_return(order)

    for _again in range(2):
        accept(return_id=asked.pk)
    for _again in range(2):
        receive_return(asked, {"TEA": 2}, restocked={"TEA": 1})

    assert returned_kinds(order) == ["return_requested", "return_accepted", "return_received"]
    assert Refund.objects.count() == 1
    with pytest.raises(DoneDifferently):
        receive_return(asked, {"TEA": 1})
    with pytest.raises(WrongReturnStatus, match="it is received"):
        refuse(return_id=asked.pk, answer="worn")


@pytest.mark.parametrize("step", [accept, withdraw])
def test_an_unknown_return_is_told(step: Callable[..., Return]) -> None:
    with pytest.raises(UnknownReturn):
        step(return_id=uuid4())


@pytest.mark.parametrize(
    ("received", "restocked"),
    [
        ({"TEA": 3}, {}),
        ({"TEA": 1}, {"TEA": 2}),
        ({"TEA": 0}, {}),
        ({"CUP": 1}, {}),
        ({"TEA": -1}, {}),
        ({"TEA": 1}, {"TEA": -1}),
    ],
)
def test_what_cannot_have_come_is_refused(
    received: dict[str, int], restocked: dict[str, int]
) -> None:
    asked = accepted_return(delivered(("TEA", 3)))

    with pytest.raises(InvalidTransition):
        receive_return(asked, received, restocked=restocked)

    assert not Refund.objects.exists()


def test_what_was_never_paid_is_not_refunded() -> None:
    order = delivered()
    asked = accepted_return(order)
    order.payments.create(
        method="cash", reference="undone", amount=-order.total, undoes=order.payments.get()
    )

    with pytest.raises(InvalidTransition, match="is left to refund"):
        receive_return(asked, {"TEA": 2})

    asked.refresh_from_db()
    assert asked.status == "accepted"


def test_a_decision_by_an_old_page_is_told_what_happened_meanwhile() -> None:
    order = delivered(("TEA", 3))
    asked = ask_return(order)
    seen = Order.objects.get().changed_at
    refund_order(order.pk, {"TEA": 1}, user=User.objects.create_user("grace"))

    with pytest.raises(ChangedMeanwhile, match="changed by grace meanwhile: Refunded in part"):
        accept(return_id=asked.pk, seen=seen)


# ── What the database keeps out ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"},
        {"status": "received", "ended_at": timezone.now()},
        {"status": "refused", "ended_at": timezone.now()},
        {"status": "withdrawn"},
        {"ended_at": timezone.now()},
    ],
)
def test_the_database_keeps_no_wrong_return(wrong: dict[str, Any]) -> None:
    asked = ask_return(delivered())

    with pytest.raises(IntegrityError), transaction.atomic():
        Return.objects.filter(pk=asked.pk).update(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"quantity": 0}, {"received": 3}, {"restocked": 1}, {"received": 1, "restocked": -1}],
)
def test_the_database_keeps_no_wrong_line(wrong: dict[str, int]) -> None:
    ask_return(delivered())

    with pytest.raises(IntegrityError), transaction.atomic():
        ReturnLine.objects.update(**wrong)


@pytest.mark.parametrize("units", [-1, 3])
def test_the_database_restocks_no_more_than_was_refunded(units: int) -> None:
    receive_return(accepted_return(delivered()), {"TEA": 2})

    with pytest.raises(IntegrityError), transaction.atomic():
        RefundLine.objects.update(units_restocked=units)


# ── Its person ──────────────────────────────────────────────────────────────────────────────────
def test_a_person_with_an_open_return_is_not_erased_until_it_ends() -> None:
    asked = ask_return(delivered())
    person = find_person("ada@example.org")
    assert any("isn't finished" in reason for reason in refusals(person))

    withdraw(return_id=asked.pk)

    assert not any("isn't finished" in reason for reason in refusals(person))


# ── The audit ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "break_it",
    [
        lambda: ReturnLine.objects.update(received=1, restocked=0),
        lambda: ReturnLine.objects.update(restocked=0),
        lambda: RefundLine.objects.update(units_restocked=1),
        lambda: StockMovement.objects.filter(kind="refund").update(quantity=1),
    ],
)
def test_the_audit_finds_a_return_that_its_refund_or_the_stock_contradicts(
    break_it: Callable[[], Any],
) -> None:
    receive_return(accepted_return(delivered()), {"TEA": 2})
    assert all_is_right()

    break_it()

    assert not all_is_right()


def test_the_audit_finds_units_that_are_held_twice() -> None:
    order = delivered()
    ask_return(order)
    assert all_is_right()

    other = Return.objects.create(id=uuid4(), order=order)
    other.lines.create(line=order.lines.get(), quantity=1)

    assert not all_is_right()


def test_a_refusal_leaves_everything_as_it_was() -> None:
    order = delivered()
    asked = accepted_return(order)
    before = OrderEvent.objects.count(), Notification.objects.count()

    with pytest.raises(TransitionError):
        receive(return_id=asked.pk, received={"TEA": 9}, restocked={})

    assert (OrderEvent.objects.count(), Notification.objects.count()) == before

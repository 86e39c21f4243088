"""Orders that aren't paid in time: what expires, what doesn't, and what the shopper is told."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import translation

from media_jobs.models import MediaJob
from notifications.models import Notification
from notifications.rendering import render
from orders.lifecycle import expiry
from orders.lifecycle.errors import InvalidTransition, OrderBusy, WrongStatus
from orders.lifecycle.expiry import expire_due
from orders.lifecycle.timeline import read_timeline
from orders.lifecycle.transitions import expire
from orders.models import Order, ProductSales, Stock
from orders.placing.writers import drain
from project.conf.durations import whole_hours
from project.database.clock import database_now
from project.models import Sweep
from project.monitoring.audit import run_audit
from project.schedule import passes
from project.schedule.passes import FIRST_KEY, LONG_AGO, Position, UnfinishedError
from tests.factories import add_product
from tests.order_states import aged, cancelled, paid, pay_part, placed

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture(autouse=True)
def due_after_two_days(settings: Any) -> None:
    settings.PAYMENT_DUE_HOURS = 48


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_an_unpaid_order_expires_and_everything_follows() -> None:
    add_product("TEA", stock=10)
    order = aged(placed(("TEA", 2)))

    assert expire_due() == 1

    assert status(order) == "cancelled"
    assert Stock.objects.get().available == 10
    assert drain(timeout=20)
    assert ProductSales.objects.get().units == 0
    assert [entry.note for entry in read_timeline(order)] == ["", "not paid in time"]
    assert MediaJob.objects.get().status == "cancelled"
    assert Notification.objects.filter(event="order_placed").get().status == "queued"
    assert run_audit().is_clean


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "It was not paid within 48 hours."), ("zh-hans", "48")],
)
def test_the_shopper_reads_why_in_their_language(language: str, words: str) -> None:
    add_product("TEA")
    order = aged(placed(language=language))

    with translation.override("en"):
        expire_due()

    message = Notification.objects.get(order_id=order.pk, event="order_cancelled", channel="email")
    assert words in render(message).text


def test_a_young_order_waits() -> None:
    add_product("TEA")
    order = aged(placed(), hours=47)

    assert expire_due() == 0
    assert status(order) == "placed"
    with pytest.raises(InvalidTransition, match=f"Order {order} doesn't expire"):
        expire(order_id=order.pk, hours=48)


def test_what_is_paid_in_part_free_or_further_on_stays() -> None:
    add_product("TEA")
    add_product("GIFT", price="0.00")
    stay = [aged(placed()), aged(placed(("GIFT", 1))), aged(paid())]
    pay_part(stay[0])
    aged(stay[0])

    assert expire_due() == 0

    assert [status(order) for order in stay] == ["placed", "placed", "paid"]
    with pytest.raises(InvalidTransition, match="paid in part"):
        expire(order_id=stay[0].pk, hours=48)
    with pytest.raises(WrongStatus, match="is paid: it can't be cancelled"):
        expire(order_id=stay[2].pk, hours=48)


def test_without_the_setting_nothing_expires(settings: Any) -> None:
    settings.PAYMENT_DUE_HOURS = None
    add_product("TEA")
    order = aged(placed(), hours=24 * 365)

    assert expire_due() is None
    assert status(order) == "placed"


def test_a_repeat_changes_nothing() -> None:
    add_product("TEA", stock=10)
    order = aged(placed(("TEA", 2)))

    expire_due()
    expire_due()
    expire(order_id=order.pk, hours=48)

    assert Stock.objects.get().available == 10
    assert order.events.filter(kind="cancelled").count() == 1
    assert expire(order_id=cancelled().pk, hours=48).status == "cancelled"


def test_many_expire_in_runs_of_a_bounded_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)
    add_product("TEA")
    orders = [aged(placed(), hours=50 - number) for number in range(5)]
    Order.objects.update(changed_at=F("placed_at"))

    assert [expire_due() for _run in range(4)] == [1, 1, 1, 0]

    assert [status(order) for order in orders] == ["cancelled"] * 3 + ["placed"] * 2


def test_a_page_of_orders_that_never_expire_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passes, "PAGE_SIZE", 2)
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)
    add_product("TEA")
    stubborn = [aged(placed(), hours=60) for _number in range(5)]
    last = aged(placed(), hours=50)
    pks = {order.pk for order in stubborn}

    def refusing(*, order_id: Any, hours: int) -> Order:
        if order_id in pks:
            raise InvalidTransition("never")
        return expire(order_id=order_id, hours=hours)

    monkeypatch.setattr(expiry, "expire", refusing)

    assert sum(expire_due() or 0 for _run in range(10)) == 1
    assert status(last) == "cancelled"


def test_a_locked_order_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("TEA")
    orders = [aged(placed(), hours=hours) for hours in (60, 55, 50)]

    def busy(*, order_id: Any, hours: int) -> Order:
        if order_id == orders[1].pk:
            raise OrderBusy
        return expire(order_id=order_id, hours=hours)

    with monkeypatch.context() as patch:
        patch.setattr(expiry, "expire", busy)
        with pytest.raises(UnfinishedError, match="1 orders wait"):
            expire_due()
    assert [status(order) for order in orders] == ["cancelled", "placed", "cancelled"]

    assert expire_due() == 1
    assert status(orders[1]) == "cancelled"


def test_what_was_seen_is_not_looked_at_again() -> None:
    add_product("TEA")
    expire_due()
    seen = aged(placed(), hours=60)  # none can come to be so old, but by hand

    assert expire_due() == 0
    assert status(seen) == "placed"
    assert Sweep.objects.get(name="expire_due").done_until


def test_a_longer_time_lets_orders_wait_and_a_shorter_one_calls_them(settings: Any) -> None:
    add_product("TEA")
    order = aged(placed(), hours=30)
    assert expire_due() == 0

    settings.PAYMENT_DUE_HOURS = 72
    assert expire_due() == 0
    settings.PAYMENT_DUE_HOURS = 24
    assert expire_due() == 1

    assert status(order) == "cancelled"


# ── The setting ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("text", "hours"), [("", None), (" 48 ", 48), ("1", 1), ("8784", 8784)])
def test_hours_are_read(text: str, hours: int | None) -> None:
    assert whole_hours("PAYMENT_DUE_HOURS", text) == hours


@pytest.mark.parametrize("text", ["0", "-1", "48h", "1.5", "two", "8785", "9" * 5000, "٤٨"])
def test_nonsense_is_a_clear_error(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DUE_HOURS is .* whole number of hours"):
        whole_hours("PAYMENT_DUE_HOURS", text)


def test_after_a_week_away_a_step_reads_a_page_of_orders_however_few_are_overdue() -> None:
    add_product("TEA", stock=20)
    for _number in range(5):
        aged(paid(("TEA", 1)))
    Order.objects.update(changed_at=F("placed_at"))
    overdue = aged(placed(("TEA", 1)))

    page = expiry._read_page(Position(LONG_AGO, FIRST_KEY), database_now(), 2)
    expired = expire_due()

    assert [row.content for row in page] == [False, False]  # it searches no further
    assert expired == 1
    assert status(overdue) == "cancelled"

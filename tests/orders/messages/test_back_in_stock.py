"""The people of a waiting list are told once for each restock, the first of them first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.db.utils import IntegrityError

from notifications.models import Notification
from notifications.rendering import render
from orders.catalogue.stock import correct_stock
from orders.lifecycle.transitions import cancel
from orders.messages import back_in_stock
from orders.messages.back_in_stock import HEAD_START, TOLD_PER_UNIT, tell_back_in_stock
from orders.messages.waiting_list import confirm, entry_id, join, leave
from orders.models import Product, Restock, Stock, WaitingListEntry
from project.database.timeouts import lock_timeout
from project.schedule.passes import UnfinishedError
from tests.database import this_database
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db


def waits(product: Product, *names: str) -> None:
    """Put confirmed addresses on the list, one after the other."""
    for name in names:
        place = WaitingListEntry.objects.count()
        email = f"{name}@example.org"
        WaitingListEntry.objects.create(
            id=entry_id(product_id=product.pk, email=email),
            product=product,
            email=email,
            language="en",
            created_at=Now() - timedelta(days=1) + timedelta(seconds=place),
            confirmed_at=Now(),
        )


def set_stock(product: Product, units: int) -> None:
    Stock.objects.filter(product=product).update(available=units)


def told() -> list[str]:
    messages: Any = Notification.objects.filter(event="back_in_stock")
    return sorted(message.recipient.partition("@")[0] for message in messages)


def restocked(product: Product, units: int) -> None:
    """Sold out, seen by the sweep, and back."""
    set_stock(product, 0)
    tell_back_in_stock()
    set_stock(product, units)


def test_nobody_is_told_before_it_is_back_and_each_is_told_once() -> None:
    mug = add_product("MUG", stock=0)
    waits(mug, "ada", "bob")

    assert tell_back_in_stock() is None
    set_stock(mug, 5)
    assert tell_back_in_stock() == 2
    assert tell_back_in_stock() is None

    assert told() == ["ada", "bob"]
    message: Any = Notification.objects.get(event="back_in_stock", recipient="ada@example.org")
    wording = render(message)
    assert wording.subject == "“Thing MUG” is back in stock"
    key = entry_id(product_id=mug.pk, email="ada@example.org")
    assert f"/back-in-stock/{key}/stop/" in wording.text
    assert "/products/mug/" in wording.html


def test_every_way_in_which_units_come_back_is_a_restock() -> None:
    mug, tea = add_product("MUG", stock=0), add_product("TEA", stock=1)
    order = make_order(tea)
    set_stock(tea, 0)
    waits(mug, "ada")
    waits(tea, "bob")

    correct_stock(product_id=mug.pk, delta=3, reason="found", user_id=None)
    cancel(order_id=order.pk, reason="x", user=None)
    tell_back_in_stock()

    assert told() == ["ada", "bob"]


def test_who_came_first_is_told_first_so_many_for_each_unit() -> None:
    mug = add_product("MUG", stock=0)
    names = [f"n{number}" for number in range(TOLD_PER_UNIT + 2)]
    waits(mug, *names)

    set_stock(mug, 1)
    tell_back_in_stock()
    assert told() == names[:TOLD_PER_UNIT]

    Restock.objects.update(wave_at=Now() - HEAD_START)  # still there after the head start
    tell_back_in_stock()
    assert told() == names


def test_more_units_during_a_wave_reach_more_people_at_once() -> None:
    mug = add_product("MUG", stock=0)
    names = [f"n{number}" for number in range(TOLD_PER_UNIT + 2)]
    waits(mug, *names)
    set_stock(mug, 1)
    tell_back_in_stock()

    set_stock(mug, 2)
    tell_back_in_stock()

    assert told() == names


def test_the_next_restock_begins_with_those_who_were_never_told() -> None:
    mug = add_product("MUG", stock=0)
    names = [f"n{number}" for number in range(2 * TOLD_PER_UNIT)]
    waits(mug, *names)

    for _time in range(3):
        restocked(mug, 1)
        tell_back_in_stock()

    first, last = names[:TOLD_PER_UNIT], names[TOLD_PER_UNIT:]
    assert told() == sorted([*first, *last, *first])


def test_who_has_ordered_it_since_or_left_or_never_confirmed_is_not_told() -> None:
    mug = add_product("MUG", stock=1)
    waits(mug, "Ada", "bob", "eve")
    make_order(mug)  # Ada's
    leave(entry_id(product_id=mug.pk, email="bob@example.org"))
    WaitingListEntry.objects.filter(email="eve@example.org").update(confirmed_at=None)

    set_stock(mug, 5)
    tell_back_in_stock()

    assert told() == []
    assert list(WaitingListEntry.objects.values_list("email", flat=True)) == ["eve@example.org"]


def test_a_product_that_is_not_on_sale_is_not_back() -> None:
    waits(add_product("OLD", stock=5, active=False), "ada")

    assert tell_back_in_stock() is None


def test_a_message_that_waited_is_dropped_if_it_is_no_longer_true_or_wanted() -> None:
    mug = add_product("MUG", stock=5)
    waits(mug, "ada")
    tell_back_in_stock()
    message = Notification.objects.get()
    assert back_in_stock.why_unwanted(message) == ""

    set_stock(mug, 0)
    assert back_in_stock.why_unwanted(message) == "the product is sold out again"
    leave(entry_id(product_id=mug.pk, email="ada@example.org"))
    assert back_in_stock.why_unwanted(message) == "the reader has left the waiting list"


def test_the_database_holds_one_entry_and_one_open_restock() -> None:
    mug = add_product("MUG", stock=0)
    waits(mug, "ada")
    Restock.objects.create(product=mug)

    with pytest.raises(IntegrityError), transaction.atomic():
        WaitingListEntry.objects.create(
            id=uuid4(), product=mug, email="Ada@example.org", language="en"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Restock.objects.create(product=mug)


def test_one_confirmation_is_sent_and_a_known_address_counts_at_once() -> None:
    mug = add_product("MUG", stock=0)
    for email in ("ada@example.org", "Ada@example.org"):
        join(product=mug, email=email, language="en", is_known=False)
    join(product=mug, email="bob@example.org", language="en", is_known=True)

    message = Notification.objects.get()
    assert message.event == "back_in_stock_confirmation"
    ada, bob = WaitingListEntry.objects.order_by("email")
    assert f"/back-in-stock/{ada.pk}/confirm/" in render(message).text
    assert ada.confirmed_at is None
    assert bob.confirmed_at is not None
    confirm(ada.pk)
    ada.refresh_from_db()
    assert ada.confirmed_at is not None


# ── Rows that somebody has locked ─────────────────────────────────────────────────────────────
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("row", ["product", "restock", "entry"])
def test_a_locked_row_keeps_nobody_else_from_being_told(row: str) -> None:
    mug, cup = add_product("MUG", stock=5), add_product("CUP", stock=5)
    waits(mug, "ada")
    waits(cup, "bob")
    keys = {"product": mug.pk, "entry": WaitingListEntry.objects.get(product=mug).pk}
    if row == "restock":
        keys["restock"] = Restock.objects.create(product=mug).pk
    table = {"entry": "orders_waitinglistentry"}.get(row, f"orders_{row}")
    with psycopg.connect(this_database()) as session, lock_timeout("200ms"):
        session.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [keys[row]])

        with suppress(UnfinishedError):
            tell_back_in_stock()

        session.rollback()

    assert told() == ["bob"]
    tell_back_in_stock()
    assert told() == ["ada", "bob"]


@pytest.mark.django_db(transaction=True)
def test_a_restock_that_somebody_has_locked_ends_later_and_the_others_now() -> None:
    mug, cup = add_product("MUG", stock=0), add_product("CUP", stock=0)
    mugs, cups = (Restock.objects.create(product=each) for each in (mug, cup))
    with psycopg.connect(this_database()) as session, lock_timeout("200ms"):
        session.execute("SELECT 1 FROM orders_restock WHERE id = %s FOR UPDATE", [mugs.pk])

        tell_back_in_stock()

        session.rollback()

    assert list(Restock.objects.filter(ended_at=None)) == [mugs]
    tell_back_in_stock()
    assert not Restock.objects.filter(ended_at=None).exists()
    assert cups.pk != mugs.pk


# ── Two at once ───────────────────────────────────────────────────────────────────────────────
def swept_twice_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run two sweeps that both know who is next before either writes, unless a guard holds one."""
    together, real = threading.Barrier(2), back_in_stock._next

    def next_together(*arguments: Any, **options: Any) -> list[Any]:
        found = real(*arguments, **options)
        with suppress(threading.BrokenBarrierError):  # the other sweep was kept out
            together.wait(timeout=3)
        return found

    monkeypatch.setattr(back_in_stock, "_next", next_together)

    def run() -> None:
        try:
            tell_back_in_stock()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(run), pool.submit(run)]:
            each.result(timeout=60)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = add_product("MUG", stock=5)
    waits(mug, "ada", "bob")

    swept_twice_at_once(monkeypatch)

    assert told() == ["ada", "bob"]
    assert Restock.objects.get().told == 2


@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_id_of_its_own_each_sweep_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = back_in_stock.message_for

    def under_a_new_id(*arguments: Any, **options: Any) -> Notification:
        message = written(*arguments, **options)
        message.id = uuid4()
        message.occasion = str(message.id)
        return message

    monkeypatch.setattr(back_in_stock, "_lock", lambda key: Restock.objects.filter(pk=key).first())
    monkeypatch.setattr(back_in_stock, "message_for", under_a_new_id)
    mug = add_product("MUG", stock=5)
    waits(mug, "ada", "bob")

    swept_twice_at_once(monkeypatch)

    assert told() == ["ada", "ada", "bob", "bob"]

"""Products change at their set times: once, in order, and back only if still unchanged."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders.catalogue import scheduled_changes
from orders.catalogue.scheduled_changes import apply_scheduled, overlap
from orders.models import Product, ScheduledChange
from project.schedule.passes import UnfinishedError
from tests.factories import add_product

pytestmark = pytest.mark.django_db

What = ScheduledChange.What
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let "now" be the test's, not that of the collection, which may be long ago."""
    monkeypatch.setattr(f"{__name__}.NOW", timezone.now())


def minutes(count: int) -> datetime:
    """That many minutes from now; below zero: ago."""
    return NOW + timedelta(minutes=count)


def plan(
    product: Product, what: What, *, at: int, back_at: int | None = None, **fields: Any
) -> Any:
    back = None if back_at is None else minutes(back_at)
    if "price" in fields:
        fields["price"] = Decimal(fields["price"])
    return ScheduledChange.objects.create(
        product=product, what=what, at=minutes(at), back_at=back, **fields
    )


def let_pass(change: ScheduledChange, count: int) -> None:
    """Let so many minutes pass: for the database's clock the change moves into the past."""
    past = timedelta(minutes=count)
    back_at = change.back_at and change.back_at - past
    ScheduledChange.objects.filter(pk=change.pk).update(at=change.at - past, back_at=back_at)


def price_of(product: Product) -> str:
    return str(Product.objects.get(pk=product.pk).price)


def test_a_product_goes_on_sale_at_its_time_and_not_before() -> None:
    mug = add_product("MUG", active=False)
    launch = plan(mug, What.ON_SALE, at=5)

    assert apply_scheduled() is None
    assert not Product.objects.get().is_active

    let_pass(launch, 6)
    assert apply_scheduled() == 1
    assert Product.objects.get().is_active
    assert apply_scheduled() is None


def test_a_product_is_on_sale_from_one_time_to_another() -> None:
    mug = add_product("MUG", active=False)
    season = plan(mug, What.ON_SALE, at=-5, back_at=5)
    apply_scheduled()
    assert Product.objects.get().is_active

    let_pass(season, 10)
    apply_scheduled()

    assert not Product.objects.get().is_active


def test_a_price_changes_and_changes_back() -> None:
    mug = add_product("MUG", price="10.00")
    sale = plan(mug, What.PRICE, price="8.00", at=-5, back_at=5)

    apply_scheduled()
    assert price_of(mug) == "8.00"
    apply_scheduled()
    assert price_of(mug) == "8.00"

    let_pass(sale, 10)
    apply_scheduled()
    assert price_of(mug) == "10.00"
    sale.refresh_from_db()
    assert (sale.reverted_at is not None, sale.is_kept) == (True, False)


def test_a_price_that_somebody_changed_meanwhile_stays() -> None:
    mug = add_product("MUG", price="10.00")
    sale = plan(mug, What.PRICE, price="8.00", at=-5, back_at=5)
    apply_scheduled()
    Product.objects.update(price="9.50")

    let_pass(sale, 10)
    apply_scheduled()

    assert price_of(mug) == "9.50"
    sale.refresh_from_db()
    assert sale.is_kept


def test_after_a_downtime_everything_happens_in_the_order_of_its_times() -> None:
    mug = add_product("MUG", price="10.00")
    plan(mug, What.PRICE, price="7.00", at=-20)
    plan(mug, What.PRICE, price="8.00", at=-40, back_at=-30)
    plan(mug, What.PRICE, price="6.00", at=-30, back_at=-25)

    assert apply_scheduled() == 5

    assert price_of(mug) == "7.00"
    assert not ScheduledChange.objects.filter(is_kept=True).exists()


def test_a_run_is_bounded_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled_changes, "RUN_SECONDS", 0)
    for number in range(3):
        plan(add_product(f"MUG{number}", active=False), What.ON_SALE, at=-5)

    assert [apply_scheduled() for _run in range(4)] == [1, 1, 1, None]


def test_a_run_reads_as_many_pages_as_it_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled_changes, "BATCH_SIZE", 2)
    for number in range(3):
        plan(add_product(f"MUG{number}", active=False), What.ON_SALE, at=-5)

    assert apply_scheduled() == 3


def test_a_step_that_fails_stops_its_own_product_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled_changes, "BATCH_SIZE", 1)
    for sku in ("BAD", "GOOD"):
        plan(add_product(sku, active=False), What.ON_SALE, at=-5)
    made = scheduled_changes._changed_values

    def breaking(change: ScheduledChange) -> dict[str, Any]:
        return {"price": Decimal(-1)} if change.product.sku == "BAD" else made(change)

    monkeypatch.setattr(scheduled_changes, "_changed_values", breaking)

    with pytest.raises(UnfinishedError, match=r"1 products wait: BAD \(IntegrityError"):
        apply_scheduled()

    assert list(Product.objects.filter(is_active=True).values_list("sku", flat=True)) == ["GOOD"]


# ── A product that somebody has locked ──────────────────────────────────────────────────────
@contextmanager
def locked(product: Product) -> Iterator[None]:
    """Let another transaction hold the product's row, as an UPDATE in an open psql does."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE orders_product SET name = name WHERE id = %s", [product.pk])
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_a_locked_product_keeps_its_own_changes_waiting_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scheduled_changes, "BATCH_SIZE", 2)
    held, free = add_product("HELD", active=False), add_product("FREE", active=False)
    for number in range(3):  # more than a page
        plan(held, What.ON_SALE, at=-20 + number, back_at=-19 + number)
    plan(free, What.ON_SALE, at=-5)

    with locked(held), pytest.raises(UnfinishedError, match=r"HELD \(locked by another"):
        apply_scheduled()

    assert Product.objects.get(sku="FREE").is_active
    assert ScheduledChange.objects.filter(product=held, applied_at=None).count() == 3
    assert apply_scheduled() == 6


# ── Two relays at once ──────────────────────────────────────────────────────────────────────
def applied_by_two_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two relays find the same change due before either applies it."""
    together = threading.Barrier(2)
    due = scheduled_changes.due_steps

    def seen_by_both(**options: Any) -> list[tuple[int, int, str]]:
        found = due(**options)
        together.wait(timeout=30)
        return found

    monkeypatch.setattr(scheduled_changes, "due_steps", seen_by_both)

    def relay() -> None:
        try:
            apply_scheduled()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as relays:
        for answer in [relays.submit(relay), relays.submit(relay)]:
            answer.result(timeout=60)


@pytest.mark.django_db(transaction=True)
def test_two_relays_apply_a_change_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = add_product("MUG", price="10.00")
    sale = plan(mug, What.PRICE, price="8.00", at=-5)

    applied_by_two_relays(monkeypatch)

    sale.refresh_from_db()
    assert (price_of(mug), sale.previous_price) == ("8.00", Decimal("10.00"))


@pytest.mark.django_db(transaction=True)
def test_control_without_the_count_the_second_relay_forgets_the_price_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def apply_uncounted(pk: int, *, patience: str | None) -> int:
        with scheduled_changes.lock_product(pk, patience=patience) as product:
            change = ScheduledChange.objects.filter(pk=pk)
            change.update(applied_at=NOW, previous_price=product.price)
            Product.objects.filter(pk=product.pk).update(price=change.get().price)
        return 1

    monkeypatch.setattr(scheduled_changes, "apply_change", apply_uncounted)
    sale = plan(add_product("MUG", price="10.00"), What.PRICE, price="8.00", at=-5)

    applied_by_two_relays(monkeypatch)

    sale.refresh_from_db()
    assert sale.previous_price == Decimal("8.00")


# ── What can't be planned ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "fields",
    [
        {"what": What.PRICE, "price": None},
        {"what": What.PRICE, "price": "-1.00"},
        {"what": What.ON_SALE, "price": "1.00"},
        {"what": What.ON_SALE, "back_at": minutes(0)},
        {"what": What.ON_SALE, "reverted_at": NOW},
    ],
    ids=["no price", "below zero", "a price of its own", "ends as it begins", "never applied"],
)
def test_the_database_refuses_what_makes_no_sense(fields: dict[str, Any]) -> None:
    values = {"product": add_product("MUG"), "at": minutes(0), **fields}

    with pytest.raises(IntegrityError), transaction.atomic():
        ScheduledChange.objects.create(**values)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 10), (5, 15), True),
        ((0, 10), (10, 20), False),
        ((0, 10), (5, None), True),
        ((0, 10), (10, None), False),
        ((5, None), (5, None), True),
        ((5, None), (6, None), False),
    ],
)
def test_changes_collide_if_one_is_in_the_others_time(one: Any, other: Any, expected: bool) -> None:
    def change(at: int, back_at: int | None, what: What = What.PRICE) -> ScheduledChange:
        back = None if back_at is None else minutes(back_at)
        return ScheduledChange(what=what, at=minutes(at), back_at=back)

    assert overlap(change(*one), change(*other)) is expected
    assert overlap(change(*other), change(*one)) is expected
    assert overlap(change(*one), change(*other, what=What.ON_SALE)) is False

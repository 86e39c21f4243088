"""Correcting stock beside orders that take it."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import F

from orders.catalogue.stock import (
    MOST_UNITS,
    StockTooLargeError,
    StockTooLowError,
    correct_stock,
)
from orders.models import Product, Stock, StockMovement
from tests.factories import add_product

pytestmark = pytest.mark.django_db(transaction=True)


def beside(work: Callable[[], object]) -> threading.Thread:
    """Run `work` in a thread with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for_a_lock() -> None:
    """Return once somebody waits for a row that this transaction has locked."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


def correct(product: Product, delta: int) -> Stock:
    return correct_stock(product_id=product.pk, delta=delta, reason="Delivery", user_id=None)


def test_a_correction_adds_to_what_orders_left() -> None:
    product = add_product("MUG", stock=10)

    with transaction.atomic():
        Stock.objects.filter(pk=product.pk).update(available=F("available") - 4)
        correction = beside(lambda: correct(product, 5))
        wait_for_a_lock()
    correction.join(10)

    assert Stock.objects.get().available == 11
    assert StockMovement.objects.get().quantity == 5


def test_a_correction_never_takes_what_an_order_has_just_taken() -> None:
    product = add_product("MUG", stock=5)
    refusals: list[StockTooLowError] = []

    def take_all() -> None:
        try:
            correct(product, -5)
        except StockTooLowError as refusal:
            refusals.append(refusal)

    with transaction.atomic():
        Stock.objects.filter(pk=product.pk).update(available=F("available") - 1)
        correction = beside(take_all)
        wait_for_a_lock()
    correction.join(10)

    assert [refusal.available for refusal in refusals] == [4]
    assert Stock.objects.get().available == 4
    assert not StockMovement.objects.exists()


@pytest.mark.parametrize(("delta", "reason"), [(0, "Delivery"), (1, " ")])
def test_a_correction_has_an_amount_and_a_reason(delta: int, reason: str) -> None:
    product = add_product("MUG", stock=5)

    with pytest.raises(ValueError, match="amount and a reason"):
        correct_stock(product_id=product.pk, delta=delta, reason=reason, user_id=None)

    assert Stock.objects.get().available == 5


def test_a_correction_is_a_transaction_of_its_own() -> None:
    product = add_product("MUG", stock=5)

    with transaction.atomic(), pytest.raises(RuntimeError):
        correct(product, 1)


def test_more_units_than_can_be_counted_are_refused() -> None:
    product = add_product("MUG", stock=MOST_UNITS - 5)

    with pytest.raises(StockTooLargeError, match="more can't be counted"):
        correct(product, 6)

    assert correct(product, 5).available == MOST_UNITS

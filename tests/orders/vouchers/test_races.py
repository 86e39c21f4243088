"""Races for the last use of a voucher, on real connections, and the control without its guard."""

from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

from orders.models import Order, Voucher
from orders.placing import voucher_rows
from orders.placing.errors import ShopBusy, VoucherRefused
from orders.placing.placement import Placement, place_order
from project.monitoring.audit import run_audit
from tests.database import this_database
from tests.factories import add_product, add_voucher, order_request
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def buyer(number: int, *, email: str = "") -> Callable[[], Placement]:
    email = email or f"ada{number}@example.org"
    return lambda: place_order(order_request(("MUG", 1), voucher="TEN", email=email))


def test_the_last_uses_go_to_as_many_orders(two_processes: None) -> None:
    add_product("MUG", stock=1000)
    add_voucher(limit=5)

    outcomes = together(*[buyer(number) for number in range(24)])

    assert Counter(map(type, outcomes)) == {Placement: 5, VoucherRefused: 19}
    assert Voucher.objects.get().used == 5
    assert run_audit().is_clean


def test_a_person_uses_it_once_with_however_many_orders(two_processes: None) -> None:
    add_product("MUG", stock=1000)
    add_voucher(limit_per_person=1)

    outcomes = together(*[buyer(number, email="ada@example.org") for number in range(16)])

    assert Counter(map(type, outcomes)) == {Placement: 1, VoucherRefused: 15}
    assert run_audit().is_clean


def test_control_without_the_count_under_the_lock_a_person_uses_it_twice(
    two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("MUG", stock=1000)
    add_voucher(limit_per_person=1)
    monkeypatch.setattr(voucher_rows, "_used_by", lambda cursor, wanted: Counter())

    for _round in range(3):
        together(*[buyer(number, email="ada@example.org") for number in range(8)])

    assert Order.objects.count() > 1


def test_a_voucher_that_somebody_keeps_locked_stops_no_other_order() -> None:
    add_product("MUG", stock=1000)
    voucher = add_voucher()
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT 1 FROM orders_voucher WHERE id = %s FOR UPDATE", [voucher.pk])

        outcomes = together(buyer(1), lambda: place_order(order_request(("MUG", 1))))

        session.rollback()

    assert [type(outcome) for outcome in outcomes] == [ShopBusy, Placement]
    assert isinstance(buyer(2)(), Placement)
    assert run_audit().is_clean

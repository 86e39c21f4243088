"""Sales by quarter of an hour: right at any time, whatever changed, and read by indexes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from orders.models import Order, SalesQuarter
from orders.reports import quarters
from orders.reports.quarters import (
    Sales,
    best_sellers,
    count_quarters,
    quarters_between,
    read_sales,
    refresh,
)
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

SINCE = timedelta(days=60)


def order_at(at: datetime, *, sku: str = "MUG", quantity: int = 1) -> Order:
    """Return an order that was placed, and last changed, at that time."""
    order = placed(add_product(sku, price="10.00"), quantity=quantity)
    Order.objects.filter(pk=order.pk).update(placed_at=at, changed_at=at)
    return order


def total() -> Sales:
    hours, _parts = read_sales(timezone.now() - SINCE)
    return sum(hours.values(), Sales())


def cancel(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED, changed_at=Now())


def test_an_order_counts_at_once_without_the_sweep() -> None:
    order_at(timezone.now() - timedelta(minutes=1), quantity=3)

    assert total() == Sales(1, Decimal("30.00"), 3)
    assert not SalesQuarter.objects.exists()


def test_what_the_sweep_counted_is_read_from_its_rows() -> None:
    order_at(timezone.now() - timedelta(days=2), quantity=2)
    count_quarters()
    SalesQuarter.objects.update(orders=7)

    assert total().orders == 7


def test_an_order_that_changed_after_the_sweep_counts_as_it_is() -> None:
    first = order_at(timezone.now() - timedelta(days=2), sku="A")
    order_at(timezone.now() - timedelta(days=3), sku="B")
    count_quarters()

    cancel(first)

    assert total() == Sales(1, Decimal("10.00"), 1)
    assert [seller.name for seller in best_sellers(timezone.now() - SINCE, most=5)] == ["Thing B"]


def test_the_sweep_counts_the_quarters_of_changed_orders_anew() -> None:
    order = order_at(timezone.now() - timedelta(days=2))
    count_quarters()
    cancel(order)

    assert count_quarters() == 1
    [row] = SalesQuarter.objects.all()
    assert not row.orders
    assert not row.amount
    assert not row.units
    assert not row.units_by_product


def test_a_sweep_without_changes_writes_nothing() -> None:
    order_at(timezone.now() - timedelta(days=2))
    count_quarters()

    assert count_quarters() is None


def test_best_sellers_are_those_with_the_most_units(settings: Any) -> None:
    now = timezone.now()
    order_at(now - timedelta(days=1), sku="FEW", quantity=2)
    order_at(now - timedelta(days=2), sku="MANY", quantity=5)
    order_at(now - timedelta(days=9), sku="OLD", quantity=90)
    count_quarters()
    order_at(now, sku="NEW", quantity=3)

    found = best_sellers(now - timedelta(days=7), most=3)

    assert [(seller.name, seller.units) for seller in found] == [
        ("Thing MANY", 5),
        ("Thing NEW", 3),
        ("Thing FEW", 2),
    ]


def test_a_part_of_an_hour_is_counted_to_the_second() -> None:
    begin = (timezone.now() - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    order_at(begin + timedelta(minutes=20), sku="BEFORE")
    order_at(begin + timedelta(minutes=20, seconds=1), sku="AFTER")

    _hours, [part] = read_sales(
        timezone.now() - SINCE, parts=[(begin, begin + timedelta(minutes=20, seconds=1))]
    )

    assert part.orders == 1


def test_hours_are_those_of_the_shops_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"  # five and a half hours ahead
    at = (timezone.now() - timedelta(days=2)).replace(hour=3, minute=29, second=0, microsecond=0)
    order_at(at, sku="A")
    order_at(at + timedelta(minutes=1), sku="B")
    count_quarters()

    hours, _parts = read_sales(at.replace(hour=0, minute=30))

    begin = at.replace(minute=30)
    assert {hour.astimezone(UTC): sales.orders for hour, sales in hours.items()} == {
        begin - timedelta(hours=1): 1,
        begin: 1,
    }


def test_the_command_corrects_what_is_wrong() -> None:
    order_at(timezone.now() - timedelta(days=2))
    count_quarters()
    SalesQuarter.objects.update(orders=7)
    said = StringIO()

    call_command("sales_quarters", stdout=said)

    assert said.getvalue().endswith(" 1 corrected.\n")
    assert total().orders == 1


def test_quarters_between_two_times_begin_with_that_of_the_first() -> None:
    first = datetime(2026, 3, 1, 10, 14, 59, 5, tzinfo=UTC)

    assert quarters_between(first, datetime(2026, 3, 1, 10, 30, tzinfo=UTC)) == [
        datetime(2026, 3, 1, 10, minute, tzinfo=UTC) for minute in (0, 15, 30)
    ]


def test_refreshing_twice_changes_nothing() -> None:
    order = order_at(timezone.now() - timedelta(days=2))
    order.refresh_from_db()
    begins = quarters_between(order.placed_at, order.placed_at)

    assert [refresh(begins), refresh(begins)] == [1, 0]


def test_old_quarters_are_pruned() -> None:
    now = timezone.now()
    for age in (quarters.KEEP + timedelta(days=1), timedelta(days=1)):
        SalesQuarter.objects.create(begins_at=now - age, orders=1, amount=1, units=1)

    assert quarters.old_quarters().count() == 1


def test_it_reads_neither_orders_nor_lines_from_the_beginning() -> None:
    """A month of 6,000 orders is read from the rows; the orders of some minutes by index."""
    add_product("MUG")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orders_order (id, door, fingerprint, name, email, phone, language, address,
                currency, items_total, total, status, placed_at, changed_at)
            SELECT gen_random_uuid(), 'shop', '', 'Ada', 'ada@example.org', '', 'en', '{}', 'EUR',
                5, 5, 'paid', now() - i * interval '7 minutes', now() - i * interval '7 minutes'
            FROM generate_series(1, 6000) AS i;
            INSERT INTO orders_orderline
                (order_id, product_id, sku, name, quantity, unit_price, total)
            SELECT id, (SELECT max(id) FROM orders_product), 'M', 'Mug', 1, 5, 5 FROM orders_order;
            ANALYZE orders_order, orders_orderline;
            """
        )
    while count_quarters():
        if SalesQuarter.objects.count() > 2500:
            break
    plans: list[str] = []

    def explain(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN ANALYZE {sql}", parameters)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(explain):
        hours, _parts = read_sales(timezone.now() - timedelta(days=27))
        best_sellers(timezone.now() - timedelta(days=7), most=5)

    assert sum(sales.orders for sales in hours.values()) > 5000
    assert len(plans) == 2
    assert not any("Seq Scan on orders_order" in plan for plan in plans)

"""`bench growth`: its targets, its sizes, and that what it explains changes nothing."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.benchmarks.growth.judgement import judge
from orders.models import Category
from project.database.plans import explained


def row(what: str, size: int, sql_ms: float, **others: Any) -> dict[str, Any]:
    return {"what": what, "size": size, "sql_ms": sql_ms, "buffers": None, **others}


def test_what_is_above_its_target_is_missed_in_any_shop() -> None:
    report = judge(
        [
            row("orders: first page", 10, 50.1),
            row("orders: first page", 100, 50, buffers=1001),
            row("relay: wake, parked", 10, 5),
            row("shop: product", 10, 99, python_ms=60.1),
        ]
    )

    assert report.missed == [
        "orders: first page, 10 orders: sql_ms is 50.1, wanted at most 50",
        "orders: first page, 100 orders: buffers is 1,001, wanted at most 1,000",
        "shop: product, 10 orders: python_ms is 60.1, wanted at most 60",
    ]
    assert set(report.targets) == {"orders: first page", "relay: wake, parked", "shop: product"}


def test_growth_is_the_largest_shop_to_the_smallest() -> None:
    report = judge([row("placing: an order", size, size / 10) for size in (10, 12, 16)])

    assert report.ratios == {"placing: an order": 1.6}
    assert report.missed == ["placing: an order grew 1.6 times, wanted at most 1.5"]


def test_a_benchmark_without_sizes_takes_none() -> None:
    with pytest.raises(CommandError, match="placement has no sizes"):
        call_command("bench", "placement", "--sizes", "10")


@pytest.mark.parametrize("sizes", ["", "0", "10,x", "99999999999"])
def test_sizes_are_numbers_of_orders(sizes: str) -> None:
    with pytest.raises(CommandError, match="--sizes"):
        call_command("bench", "growth", "--sizes", sizes)


@pytest.mark.django_db
def test_a_statement_is_explained_and_happens_once() -> None:
    with explained() as costs:
        Category.objects.create(name="Cups", slug="cups")
        assert Category.objects.count() == 1

    insert, count = costs
    assert insert.sql.startswith("INSERT")
    assert count.scanned == {"orders_category"}
    assert count.buffers >= 1


@pytest.mark.django_db(transaction=True)
def test_it_does_so_outside_a_transaction_as_well() -> None:
    with explained() as costs:
        Category.objects.create(name="Cups", slug="cups")

    assert len(costs) == 1
    assert Category.objects.count() == 1

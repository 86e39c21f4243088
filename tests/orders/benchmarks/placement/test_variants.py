"""Every variant of `bench placement` places the same order: a faster one leaves nothing out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.benchmarks.placement.load import load
from orders.benchmarks.placement.pgbench import pgbench
from orders.benchmarks.placement.processes import running_clients, scratch_environment
from orders.benchmarks.placement.shop import BASKETS, HOT_BASKET, HOT_ONE, UNITS, Basket
from orders.benchmarks.placement.variants import (
    COUNTED,
    SEQUENTIAL,
    TANDEM,
    TEXTBOOK,
    VARIANTS,
    VOUCHER,
)
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    ProductSales,
    SalesEntry,
    Stock,
    StockMovement,
)
from project.models import LimitCounter

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("bench_shop"),
]

OWN = {"id", "number", "order_id", "key", "token"}
"""What no two orders share, beside times and the shopper."""
SHOPPERS = {"email", "phone", "recipient", "fingerprint", "source", "status_url"}
MODELS: tuple[Any, ...] = (
    Order, OrderLine, StockMovement, SalesEntry, OrderEvent, Notification, MediaJob,
)  # fmt: skip


def written() -> dict[str, Any]:
    """What the one order has written, but for what is its own."""
    rows: dict[str, Any] = {
        model.__name__: sorted(map(repr, map(comparable, model.objects.values())))
        for model in MODELS
    }
    rows["taken"] = sorted(Stock.objects.exclude(available=UNITS).values_list("available"))
    rows["sold"] = sorted(ProductSales.objects.exclude(units=0).values_list("units", "amount"))
    return rows


def comparable(row: dict[str, Any]) -> list[tuple[str, Any]]:
    """The row without what is its own. The lines of its context are in the basket's order."""
    shown = {"context": comparable, "lines": lambda lines: sorted(map(str, lines))}
    without = {
        name: shown[name](value) if name in shown else value
        for name, value in row.items()
        if name not in OWN | SHOPPERS and not name.endswith(("_at", "_after"))
    }
    return sorted(without.items())


def forget() -> None:
    """Undo the order, so that another one starts from the same shop."""
    tables = ", ".join(model._meta.db_table for model in MODELS)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    Stock.objects.update(available=UNITS)
    ProductSales.objects.update(units=0, amount=0)


def by_variant(name: str) -> Callable[[Basket], object]:
    return lambda basket: load(VARIANTS[name], basket, clients=1, seconds=0)


def in_a_process(basket: Basket) -> None:
    """Place an order in a process; it has placed others before, to warm up."""
    with running_clients(TANDEM, basket, scratch_environment()) as clients:
        forget()
        assert len(clients.load(clients=1, seconds=0).latencies) == 1


WAYS: dict[str, Callable[[Basket], object]] = {
    **{name: by_variant(name) for name in VARIANTS if name not in (TEXTBOOK, VOUCHER)},
    "pgbench": lambda basket: pgbench(basket, clients=1, orders=1),
    "in a process": in_a_process,
}


@pytest.mark.parametrize("basket", [HOT_ONE, HOT_BASKET], ids=lambda basket: basket.name)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_writes_what_the_textbook_writes(way: str, basket: Basket) -> None:
    by_variant(TEXTBOOK)(basket)
    expected = written()
    forget()

    WAYS[way](basket)

    assert written() == expected
    assert len(expected["OrderLine"]) == len(expected["taken"]) == basket.lines
    assert len(expected["Notification"]) == 2


def test_control_an_order_that_leaves_its_sales_out_is_told_apart() -> None:
    by_variant(TEXTBOOK)(HOT_ONE)
    expected = written()

    ProductSales.objects.update(units=0)

    assert written() != expected


@pytest.mark.parametrize("basket", BASKETS, ids=lambda basket: basket.name)
def test_a_basket_has_as_many_products_as_lines(basket: Basket) -> None:
    baskets = [frozenset(basket.skus()) for _number in range(20)]

    assert {len(skus) for skus in baskets} == {basket.lines}
    assert (len(set(baskets)) == 1) == (basket.products == "hot")


def test_only_the_counted_orders_are_counted() -> None:
    for name in (TANDEM, TEXTBOOK, SEQUENTIAL):
        by_variant(name)(HOT_ONE)
    assert not LimitCounter.objects.exists()

    by_variant(COUNTED)(HOT_ONE)

    assert LimitCounter.objects.exists()

"""The audit finds every drift, names it, and mends what can be mended."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from orders.models import (
    Order,
    ProductSales,
    SalesEntry,
    Stock,
)
from project.models import AuditRun
from project.monitoring.audit import MAX_EXAMPLES, Stretch, invariants, run_audit, with_keys
from project.tasks import audit_all
from tests.factories import add_product
from tests.project.monitoring.broken import BREAKS, place, sql

# The audit reads in a snapshot, so in a transaction of its own.
pytestmark = pytest.mark.django_db(
    transaction=True,
    databases=["default", "writer"],
    available_apps=["project", "notifications", "media_jobs", "orders", "allauth.account"],
)


@pytest.fixture
def order() -> Order:
    """An order of three TEA; TEA has 7 left."""
    return place()


@pytest.fixture
def without_check() -> Any:
    """Call it to take a constraint out, for this test."""
    taken: list[tuple[str, str, str]] = []

    def take_out(table: str, name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
            )
            [definition] = cursor.fetchone()
        taken.append((table, name, definition))
        sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    yield take_out
    for table, name, definition in taken:
        sql(f"DELETE FROM {table}")
        sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def audit(*options: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, what it printed, and what it mended."""
    out, mended = StringIO(), StringIO()
    try:
        call_command("audit", *options, "--no-color", stdout=out, stderr=mended)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), mended.getvalue()
    return 0, out.getvalue(), mended.getvalue()


def test_a_healthy_shop_is_clean_and_each_invariant_shows_its_figure(order: Order) -> None:
    code, printed, _mended = audit()

    assert code == 0
    assert printed.splitlines() == [
        "ok    stock: never below zero: 0 of 1",
        "ok    stock: initial + movements - held = available: 0 of 1",
        "ok    holds: only open holds have units, and none is open after its time: 0 of 0",
        "ok    orders: an order has lines and took their stock: 0 of 1",
        "ok    orders: an order's items total is the sum of its lines: 0 of 1",
        "ok    orders: an order has its jobs: 0 of 1",
        "ok    orders: an upload of an order has its job, and no line more than its units: 0 of 0",
        "ok    vouchers: an order with a code has its use, given back once cancelled: 0 of 0",
        "ok    vouchers: the counter is the number of uses that weren't given back: 0 of 0",
        "ok    sales: counters = sum of entries: 0 of 1",
        "ok    sales: entries = lines of the orders that count: 0 of 1",
        "ok    orders: what was cancelled or refunded is back in stock: 0 of 1",
        "ok    orders: refunded units = refund lines, and an order is refunded once all are:"
        " 0 of 1",
        "ok    returns: what came is refunded, and no unit is returned twice: 0 of 0",
        "ok    money: payments make an order paid, and refunds never exceed them: 0 of 1",
        "ok    invoices: the numbers of a kind have no gap: 0 of 0",
        "ok    accounts: the user's address is one of its rows in allauth's table: 0 of 0",
        "ok    accounts: addresses have the one form of project.email_addresses: 0 of 0",
        "clean",
    ]


def test_an_empty_shop_is_clean() -> None:
    assert audit()[0] == 0


@pytest.mark.parametrize(("statement", "name", "example"), BREAKS.values(), ids=BREAKS.keys())
def test_drift_is_found_and_named(order: Order, statement: str, name: str, example: str) -> None:
    sql(statement)

    code, printed, mended = audit("--json")

    report = json.loads(printed)
    findings = {finding["name"]: finding for finding in report["findings"]}
    assert code == 1
    assert report["clean"] is False
    assert findings[name]["violations"] >= 1
    assert any(example in text for text in findings[name]["examples"])
    assert mended == ""


def test_every_invariant_is_broken_by_a_test() -> None:
    broken = {name for _statement, name, _example in BREAKS.values()}

    assert broken | {"stock: never below zero"} == {invariant.name for invariant in invariants()}


def test_every_table_of_an_orders_rule_is_read_for_its_keys_only(order: Order) -> None:
    """However many keys a step has: a table without a condition would be read whole for each."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_nestloop = off")
        try:
            unbound = [
                (invariant.name, table)
                for invariant in invariants()
                if invariant.subject.name == "orders"
                for table in read_whole(cursor, *with_keys(
                    invariant.query, invariant.subject, Stretch([order.pk])
                ))
            ]  # fmt: skip
        finally:
            cursor.execute("RESET enable_seqscan; RESET enable_nestloop")

    assert unbound == []


def read_whole(cursor: Any, query: str, values: dict[str, Any]) -> list[str]:
    """Return the tables that the query's plan reads without a condition on keys.

    Where a test before this one left its rows to the planner's memory, the condition of so small
    an index may be a filter.
    """
    cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", values)

    def unbound(plan: dict[str, Any]) -> Iterator[str]:
        is_by_bitmap = plan["Node Type"] == "Bitmap Heap Scan"
        filtered = plan.get("Filter", "")
        is_by_keys = "Index Cond" in plan or "= ANY (" in filtered or ">= '" in filtered
        if "Relation Name" in plan and not is_by_keys and not is_by_bitmap:
            yield plan["Relation Name"]
        for part in plan.get("Plans", ()):
            yield from unbound(part)

    return list(unbound(cursor.fetchone()[0][0]["Plan"]))


def test_stock_below_zero_is_found(order: Order, without_check: Callable[[str, str], None]) -> None:
    without_check("orders_stock", "stock_available_is_not_negative")
    sql("UPDATE orders_stock SET available = -1")

    code, printed, _mended = audit()

    assert code == 1
    assert "drift stock: never below zero: 1 of 1" in printed
    assert f"product {Stock.objects.get().product_id}: -1" in printed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders_order SET changed_at = now(), status = 'cancelled'",
        "UPDATE orders_salesentry SET changed_at = now(), units = 2",
    ],
)
def test_sales_of_the_last_minute_are_not_judged_yet(order: Order, statement: str) -> None:
    sql(statement)

    findings = {finding["name"]: finding for finding in run_audit().findings}

    assert findings["sales: entries = lines of the orders that count"]["violations"] == 0


MENDED = [
    "a counter that lost a unit",
    "an entry that lost a unit",
    "an entry of another amount",
    "an entry that vanished",
    "an entry of an order that doesn't exist",
    "an entry of a cancelled order",
    "a sales counter that is too high",
    "a sales counter that vanished",
]


@pytest.mark.parametrize("drift", MENDED)
def test_fix_mends_counters_and_entries_and_shows_each_change(order: Order, drift: str) -> None:
    sql(BREAKS[drift][0])
    cancelled = "cancelled" in drift

    code, printed, mended = audit("--fix")

    assert code == 0, printed
    assert mended.strip()
    assert Stock.objects.get().available == (10 if cancelled else 7)
    assert ProductSales.objects.get().units == (0 if cancelled else 3)
    assert list(SalesEntry.objects.values_list("order_id", "units")) == (
        [] if cancelled else [(order.pk, 3)]
    )


def test_fix_shows_the_figures_before_and_after(order: Order) -> None:
    product_id = Stock.objects.get().product_id
    sql("UPDATE orders_stock SET available = 2")
    sql("UPDATE orders_productsales SET units = 9")

    _code, _printed, mended = audit("--fix")

    assert mended.splitlines() == [
        f"stock of product {product_id}: 2 → 7",
        f"sales of product {product_id}: 9 → 3 units",
    ]


def test_fix_mends_an_entry_that_its_counter_has_never_counted(order: Order) -> None:
    sql("DELETE FROM orders_orderline")  # so the entry has to go, and take its units with it
    sql("UPDATE orders_productsales SET units = 0, amount = 0")

    audit("--fix")

    assert ProductSales.objects.get().units == 0
    assert not SalesEntry.objects.exists()


def test_fix_leaves_a_ledger_that_sums_below_zero_to_a_person(order: Order) -> None:
    sql("UPDATE orders_stock SET initial = 1")

    code, _printed, mended = audit("--fix")

    assert code == 1
    assert "can't be fixed: its ledger sums to -2" in mended
    assert Stock.objects.get().available == 7


def test_only_some_of_many_violations_are_named(order: Order) -> None:
    for number in range(MAX_EXAMPLES + 5):
        add_product(f"SKU-{number}")
    sql("UPDATE orders_stock SET available = available + 1")

    [finding] = [finding for finding in run_audit().findings if finding["violations"]]

    assert finding["violations"] == MAX_EXAMPLES + 6
    assert len(finding["examples"]) == MAX_EXAMPLES


def test_each_audit_is_kept_with_its_figures(order: Order) -> None:
    sql("UPDATE orders_stock SET available = 6")

    answer = audit_all(date(2026, 1, 1))

    run = AuditRun.objects.get()
    assert answer == {"clean": False, "drift": {"stock: initial + movements - held = available": 1}}
    assert not run.is_clean
    assert len(run.findings) == len(invariants())
    assert run.started_at <= run.finished_at

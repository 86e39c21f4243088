"""The audit of every five minutes: what changed is checked, whatever was committed late."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from orders.models import AuditedBalance, Order, Stock
from project.database.clock import database_now
from project.models import AuditProgress, AuditRun
from project.monitoring import audit as auditing
from project.monitoring import recent, settled
from project.monitoring.audit import AuditBusy, run_audit, the_only_audit
from project.monitoring.recent import audit_recent
from project.tasks import audit as audit_task
from project.tasks import audit_all
from tests.factories import add_product
from tests.project.monitoring.broken import BREAKS, place, sql

# The audit reads in a snapshot, so in a transaction of its own.
pytestmark = pytest.mark.django_db(
    transaction=True,
    databases=["default", "writer"],
    available_apps=["project", "notifications", "media_jobs", "orders", "allauth.account"],
)

LONG_AGO = "now() - interval '30 days'"


@pytest.fixture
def order() -> Order:
    return place()


@pytest.fixture
def late() -> Iterator[Any]:
    """A second connection in an open transaction."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
    yield other
    other.close()


def let_age() -> None:
    """Let everything be old."""
    sql(f"UPDATE orders_order SET changed_at = {LONG_AGO}")
    sql(f"UPDATE orders_salesentry SET changed_at = {LONG_AGO}")
    sql(f"UPDATE orders_stockmovement SET created_at = {LONG_AGO}")


def violations(run: AuditRun) -> dict[str, int]:
    return {each["name"]: each["violations"] for each in run.findings if each["violations"]}


def checked(run: AuditRun, name: str) -> int:
    [figure] = [each["checked"] for each in run.findings if each["name"] == name]
    return int(figure)


TOTAL = "orders: an order's items total is the sum of its lines"


@pytest.mark.parametrize("drift", sorted(BREAKS))
def test_every_drift_of_recent_rows_is_found(order: Order, drift: str) -> None:
    statement, name, _example = BREAKS[drift]
    sql(statement)

    assert name in violations(audit_recent())


@pytest.mark.parametrize(
    "drift", ["a counter that lost a unit", "a sales counter that is too high"]
)
def test_a_counter_is_checked_however_old_its_ledger_is(order: Order, drift: str) -> None:
    let_age()
    assert audit_recent().is_clean
    statement, name, _example = BREAKS[drift]
    sql(statement)

    assert list(violations(audit_recent())) == [name]


def test_what_did_not_change_is_not_looked_at_again(order: Order) -> None:
    let_age()

    first, second = run_audit(), audit_recent()
    third = audit_recent()

    assert checked(first, TOTAL) == 1
    assert checked(second, TOTAL) == checked(third, TOTAL) == 0
    assert (
        checked(second, "stock: initial + movements - held = available") == 1
    )  # it has no balance yet
    assert checked(third, "stock: initial + movements - held = available") == 0


def test_balances_follow_the_ledgers_from_mark_to_mark(order: Order) -> None:
    assert audit_recent().is_clean
    sql("INSERT INTO orders_stockmovement (product_id, kind, quantity, reason)"
        " SELECT product_id, 'correction', 5, 'found' FROM orders_stock")  # fmt: skip
    sql("UPDATE orders_stock SET available = available + 5")
    runs = [audit_recent() for _ in range(2)]
    sql("UPDATE orders_stockmovement SET created_at = now() - interval '2 minutes'")

    runs += [audit_recent() for _ in range(2)]

    assert all(run.is_clean for run in runs)
    assert AuditedBalance.objects.get().stock == Stock.objects.get().available - 10


def test_a_balance_is_carried_where_a_product_was_only_received(order: Order) -> None:
    let_age()
    assert audit_recent().is_clean
    sql("UPDATE project_auditrun SET until = until - interval '10 minutes'")
    sql("INSERT INTO orders_stockmovement (product_id, kind, quantity, reason, created_at)"
        " SELECT product_id, 'correction', 5, 'found', now() - interval '2 minutes'"
        " FROM orders_stock")  # fmt: skip
    sql("UPDATE orders_stock SET available = available + 5")
    before = AuditedBalance.objects.get()

    assert all(audit_recent().is_clean for _ in range(2))

    after = AuditedBalance.objects.get()
    assert (after.stock, after.sold, after.amount) == (before.stock + 5, before.sold, before.amount)


def test_drift_is_found_again_until_it_is_corrected(order: Order) -> None:
    assert audit_recent().is_clean
    sql("UPDATE orders_stock SET available = 6")
    sql("UPDATE orders_order SET items_total = 7, total = 7, changed_at = now()")

    found = [violations(audit_recent()) for _ in range(3)]
    sql("UPDATE orders_stock SET available = 7")
    sql("UPDATE orders_order SET items_total = 7.50, total = 7.50")

    assert [len(each) for each in found] == [2, 2, 2]
    assert audit_recent().is_clean


def test_what_was_committed_late_is_found(order: Order, late: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(settled, "OVERLAP", timedelta(0))
    with late.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET items_total = 7, total = 7, changed_at = now()")
    assert audit_recent().is_clean
    with late.cursor() as cursor:
        cursor.execute("COMMIT")

    assert TOTAL in violations(audit_recent())


def test_control_with_the_time_of_the_snapshot_it_is_passed_by(
    order: Order, late: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(recent, "settled_time", database_now)
    with late.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET items_total = 7, total = 7, changed_at = now()")
    assert audit_recent().is_clean
    with late.cursor() as cursor:
        cursor.execute("COMMIT")

    assert audit_recent().is_clean


def test_a_forgotten_transaction_holds_the_mark_for_an_hour_only(
    late: Any, monkeypatch: Any
) -> None:
    add_product("TEA")
    monkeypatch.setattr(settled, "LONGEST", timedelta(0))
    with late.cursor() as cursor:
        cursor.execute("UPDATE orders_product SET name = name")

    behind = database_now() - settled.settled_time()

    assert behind < settled.OVERLAP + timedelta(seconds=5)


def test_a_reader_does_not_hold_the_mark(late: Any) -> None:
    with late.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_order")
    begun = database_now()

    assert settled.settled_time() > begun - settled.OVERLAP - timedelta(seconds=1)


def test_it_stops_after_its_time_and_the_next_one_goes_on(monkeypatch: Any) -> None:
    orders = [place(sku=f"SKU-{number}") for number in range(3)]
    for age, order in enumerate(reversed(orders)):
        Order.objects.filter(pk=order.pk).update(changed_at=Now() - timedelta(minutes=10 + age))
    sql("UPDATE orders_salesentry SET changed_at = now() - interval '2 hours'")
    monkeypatch.setattr("orders.audits.subjects.PAGE_SIZE", 1)
    monkeypatch.setattr(recent, "RUN_SECONDS", 0.0)

    runs = [audit_recent() for _ in range(4)]

    assert [checked(run, TOTAL) for run in runs] == [1, 1, 1, 1]
    untils = [run.until for run in runs if run.until]
    assert len(untils) == 4
    assert untils == sorted(untils)


def test_two_are_never_at_once_and_none_waits(order: Order) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [auditing._LOCK])
        with pytest.raises(AuditBusy):
            audit_recent()
        assert audit_task() == {"skipped": "another audit is running"}
    finally:
        other.close()
    assert not AuditRun.objects.exists()


def test_a_running_audit_keeps_the_next_one_out() -> None:
    other = connection.copy()
    try:
        with the_only_audit(), other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [auditing._LOCK])
            assert cursor.fetchone() == (False,)
    finally:
        other.close()


class Stopped(Exception):
    pass


def stop_after(steps: int, monkeypatch: Any) -> None:
    """Let the audit be stopped after so many steps."""
    real: Callable[..., Any] = auditing.check
    left = iter(range(steps))

    def check(subject: Any, keys: Any) -> Any:
        if next(left, None) is None:
            raise Stopped
        return real(subject, keys)

    monkeypatch.setattr(auditing, "check", check)


def test_the_nightly_audit_goes_on_where_it_was_stopped(monkeypatch: Any) -> None:
    for number in range(6):
        place(sku=f"SKU-{number}")
    sql("UPDATE orders_order SET items_total = 7, total = 7 WHERE id IN"
        " (SELECT min(id::text)::uuid FROM orders_order UNION"
        "  SELECT max(id::text)::uuid FROM orders_order)")  # fmt: skip
    monkeypatch.setattr(auditing, "FIRST_PAGE", 2)
    monkeypatch.setattr(auditing, "MAX_PAGE", 2)
    with monkeypatch.context() as patched:
        stop_after(5, patched)  # three of products, two of orders
        with pytest.raises(Stopped):
            run_audit(go_on=True)
    kept = AuditProgress.objects.get()
    stop_after(1, monkeypatch)  # so many are left

    run = run_audit(go_on=True)

    assert kept.subject == "orders"
    assert checked(run, TOTAL) == 6
    assert violations(run) == {TOTAL: 2}
    assert run.started_at == kept.started_at
    assert not AuditProgress.objects.exists()


def test_an_audit_that_was_stopped_long_ago_begins_anew(order: Order) -> None:
    AuditProgress.objects.create(
        until=Now(), subject="accounts", started_at=Now() - auditing.GO_ON_WITHIN
    )

    assert checked(run_audit(go_on=True), TOTAL) == 1


def test_each_step_is_a_snapshot_of_its_own(monkeypatch: Any) -> None:
    for number in range(5):
        place(sku=f"SKU-{number}")
    monkeypatch.setattr(auditing, "FIRST_PAGE", 2)
    monkeypatch.setattr(auditing, "MAX_PAGE", 2)
    pages: list[tuple[str, int]] = []
    real = auditing.check_in

    def check_in(cursor: Any, subject: Any, keys: Any) -> Any:
        pages.append((subject.name, len(keys)))
        return real(cursor, subject, keys)

    monkeypatch.setattr(auditing, "check_in", check_in)

    assert run_audit().is_clean
    assert pages == [
        *([("products", 2)] * 2), ("products", 1), *([("orders", 2)] * 2), ("orders", 1),
    ]  # fmt: skip


def test_fix_can_be_stopped_and_goes_on(monkeypatch: Any) -> None:
    for number in range(6):
        place(sku=f"SKU-{number}")
    sql("UPDATE orders_salesentry SET units = 2, amount = 5")
    sql("UPDATE orders_productsales SET units = 2, amount = 5")
    monkeypatch.setattr(auditing, "FIRST_PAGE", 2)
    monkeypatch.setattr(auditing, "MAX_PAGE", 2)
    shown: list[str] = []
    with monkeypatch.context() as patched:
        stop_after(3 + 2, patched)  # the first two orders are corrected and checked again
        with pytest.raises(Stopped):
            run_audit(fix=shown.append)
    assert shown == ["settled the sales of 2 orders"]

    run = run_audit(fix=shown.append)

    assert run.is_clean
    assert shown == ["settled the sales of 2 orders"] * 3


def test_pages_grow_while_steps_are_short_and_shrink_while_they_are_long() -> None:
    assert auditing.next_size(500, 0.01) == 1000
    assert auditing.next_size(auditing.MAX_PAGE, 0.01) == auditing.MAX_PAGE
    assert auditing.next_size(500, 0.4) == 500
    assert auditing.next_size(500, 2.0) == 250
    assert auditing.next_size(auditing.MIN_PAGE, 2.0) == auditing.MIN_PAGE


def test_the_nightly_task_checks_everything(order: Order) -> None:
    let_age()
    sql("UPDATE orders_order SET items_total = 7, total = 7")

    assert audit_task() == {"clean": True, "drift": {}}
    assert audit_all(date(2026, 1, 1)) == {"clean": False, "drift": {TOTAL: 1}}


def test_both_kinds_count_for_the_health_of_the_shop(order: Order) -> None:
    let_age()
    sql("UPDATE orders_order SET items_total = 7, total = 7")
    run_audit()
    audit_recent()

    scopes = {run.scope: run.is_clean for run in AuditRun.objects.last_of_each_scope()}

    assert scopes == {"all": False, "recent": True}

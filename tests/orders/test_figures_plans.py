"""The figures that are asked for again and again read by an index, however long the history is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from orders.desk.dashboard import dashboard
from orders.models import User
from orders.reports.figures import read_figures, table
from project.monitoring.metrics import read_metrics
from tests.factories import add_product

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("figures")]  # one shop is filled

LARGE = {"orders_order", "orders_orderline", "notifications_notification", "media_jobs_mediajob"}
HISTORY = 20_000

ORDERS = """
INSERT INTO orders_order (id, door, fingerprint, status, name, email, phone, language, address,
                          currency, items_total, total, placed_at)
SELECT gen_random_uuid(), 'api', '', 'delivered', 'Ada', 'ada@example.org', '', 'en', '{}', 'EUR',
       1, 1, now() - n * interval '1 hour'
FROM generate_series(1, %s) AS n
"""
LINES = """
INSERT INTO orders_orderline (order_id, product_id, sku, name, quantity, unit_price, total)
SELECT id, (SELECT max(id) FROM orders_product), 'M', 'Mug', 1, 1, 1
FROM orders_order ORDER BY placed_at LIMIT %s
"""
MESSAGES = """
INSERT INTO notifications_notification
    (id, order_id, kind, context, event, channel, recipient, language, status, finished_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'k', '{}', 'e', 'email', 'r@example.org', 'en',
       CASE n %% 1000 WHEN 0 THEN 'queued' WHEN 1 THEN 'failed' ELSE 'done' END, now()
FROM generate_series(1, %s) AS n
"""
MEDIA = """
INSERT INTO media_jobs_mediajob (id, order_id, kind, context, source, recipe, status, finished_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'k', '{}', n, 'r',
       CASE n %% 1000 WHEN 0 THEN 'queued' WHEN 1 THEN 'failed' ELSE 'done' END, now()
FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def history(rows_for_the_module: None) -> None:
    """Two years of orders and finished jobs, and some open and failed ones."""
    add_product("M")
    with connection.cursor() as cursor:
        for statement in (ORDERS, LINES, MESSAGES, MEDIA):
            cursor.execute(statement, [HISTORY])
        for name in LARGE:
            cursor.execute(f"ANALYZE {name}")
    connection.check_constraints()


def read_whole(read: Callable[[], object]) -> set[str]:
    """Return which of the large tables the queries of `read` read from end to end."""
    queries: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        queries.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        read()
    found: set[str] = set()
    for sql, parameters in queries:
        if sql.lstrip(" (\n").startswith(("SELECT", "WITH")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", parameters)
                plan = "\n".join(row[0] for row in cursor.fetchall())
            found |= {name for name in LARGE if f"Seq Scan on {name}" in plan}
    return found


def overview() -> object:
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True)
    return dashboard(request, {})


def report() -> object:
    yesterday = timezone.localdate() - timedelta(days=1)
    return read_figures(yesterday), list(table(yesterday))


@pytest.mark.parametrize("read", [read_metrics, overview, report])
def test_no_large_table_is_read_whole(history: None, read: Callable[[], object]) -> None:
    assert read_whole(read) == set()


@pytest.mark.parametrize(
    ("read", "table"),
    [
        (read_metrics, "notifications_notification"),
        (overview, "media_jobs_mediajob"),
        (overview, "orders_order"),
        (report, "orders_order"),
    ],
)
def test_without_its_indexes_it_would_be(
    history: None, read: Callable[[], object], table: str
) -> None:
    """The control: the plans above depend on the table's indexes that are of no constraint."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexname NOT IN (
                SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)
            """,
            [table, table],
        )
        for (index,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{index}"')

    assert table in read_whole(read)


def test_the_figures_are_right(history: None) -> None:
    samples = read_metrics().decode().splitlines()

    assert f'tandem_jobs{{app="notification",status="queued"}} {HISTORY / 1000}' in samples
    assert f'tandem_jobs{{app="media",status="failed"}} {HISTORY / 1000}' in samples

"""A fill refers to rows that exist, whether the triggers of foreign keys fire or not."""

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from orders.demo.orders import fill_orders, foreign_keys
from orders.demo.orders.rows import sales
from orders.demo.orders.shoppers import Shoppers
from orders.models import Order, Product
from tests.factories import add_product
from tests.orders.demo_orders.outcome import violations

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ROWS_WRITTEN = """
    SELECT relid::regclass::text, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
"""
"""By table; what the session wrote a moment earlier may still be counted in."""
OTHER_TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname
    FROM pg_trigger LEFT JOIN pg_constraint AS key ON key.oid = tgconstraint
    WHERE tgrelid = ANY(%s::regclass[]) AND key.contype IS DISTINCT FROM 'f'
"""


@pytest.fixture(params=["skipped", "firing"])
def triggers(request, monkeypatch) -> str:
    if request.param == "firing":  # the role may not skip them
        monkeypatch.setattr(foreign_keys, "skip_triggers", lambda _cursor: False)
    return request.param


@pytest.fixture
def written(monkeypatch) -> set[str]:
    """The tables that the batches of a fill write while they skip triggers; a fill adds them."""
    tables: set[str] = set()
    before: dict[str, int] = {}
    skip_triggers, count_sales = foreign_keys.skip_triggers, sales.count_sales

    def look_and_skip(cursor) -> bool:
        cursor.execute(ROWS_WRITTEN)
        before.clear()
        before.update(cursor.fetchall())
        return skip_triggers(cursor)

    def count_and_look(cursor, sold) -> None:
        count_sales(cursor, sold)
        cursor.execute(ROWS_WRITTEN)
        tables.update(table for table, rows in cursor.fetchall() if rows > before.get(table, 0))

    monkeypatch.setattr(foreign_keys, "skip_triggers", look_and_skip)
    monkeypatch.setattr(sales, "count_sales", count_and_look)
    return tables


def test_no_trigger_but_those_of_foreign_keys_is_skipped(written: set[str]) -> None:
    fill_orders(orders=200)

    assert {"orders_order", "orders_stock", "orders_productsales", "orders_payment"} < written
    with connection.cursor() as cursor:
        cursor.execute(OTHER_TRIGGERS, [sorted(written)])
        assert cursor.fetchall() == []


def test_they_are_skipped_until_the_transaction_ends() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        assert foreign_keys.skip_triggers(cursor)
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("replica",)
        cursor.execute("COMMIT")
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


def test_postgresql_14_lets_only_a_superuser_skip_them(monkeypatch) -> None:
    monkeypatch.setattr(connection, "pg_version", 140_000)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        is_superuser = cursor.fetchone() == ("on",)
        assert foreign_keys.skip_triggers(cursor) is is_superuser


@pytest.mark.slow
def test_the_rows_keep_every_rule(triggers: str) -> None:
    fill_orders(orders=300)

    assert violations() == []


def test_an_account_that_is_gone_is_found(triggers: str, monkeypatch) -> None:
    monkeypatch.setattr(Shoppers, "clerk_of", lambda _shoppers, _position: 999_999_999)

    with pytest.raises(IntegrityError):
        fill_orders(orders=100)

    assert not Order.objects.exists()


@pytest.mark.slow
def test_control_without_a_look_nobody_misses_it(monkeypatch) -> None:
    monkeypatch.setattr(Shoppers, "clerk_of", lambda _shoppers, _position: 999_999_999)
    monkeypatch.setattr(foreign_keys, "hold", lambda *_call: None)

    fill_orders(orders=100)

    assert Order.objects.count() == 100


def test_a_row_that_is_held_is_not_deleted_meanwhile() -> None:
    tea = add_product("TEA")

    with transaction.atomic(), connection.cursor() as cursor:
        foreign_keys.hold(cursor, Product, {tea.pk})
        with connections["writer"].cursor() as other:
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(OperationalError):
                other.execute("SELECT FROM orders_product WHERE id = %s FOR UPDATE", [tea.pk])
            other.execute("RESET lock_timeout")

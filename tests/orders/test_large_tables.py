"""How the large tables are kept: few indexes for a guest's order, room in pages, early vacuum."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

EARLY = "autovacuum_vacuum_scale_factor"
GROWING = "autovacuum_vacuum_insert_scale_factor"


def parameters(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        options = cursor.fetchone()[0]
    return dict(option.split("=") for option in options or ())


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("orders_order", "fillfactor", "90"),
        ("orders_order", EARLY, "0.02"),
        ("orders_orderline", EARLY, "0.02"),
        ("orders_salesentry", EARLY, "0.02"),
        ("orders_stockmovement", GROWING, "0.05"),
        ("orders_orderevent", GROWING, "0.05"),
        ("notifications_notification", EARLY, "0.01"),
        ("media_jobs_mediajob", EARLY, "0.01"),
    ],
)
def test_large_tables_have_their_storage_parameters(table: str, name: str, value: str) -> None:
    assert parameters(table)[name] == value


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders_order", "user_id"),
        ("orders_orderevent", "user_id"),
        ("orders_stockmovement", "user_id"),
        ("media_jobs_mediajob", "asset_id"),
    ],
)
def test_a_column_that_placing_leaves_empty_has_a_partial_index_only(
    table: str, column: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s",
            [table, f"%({column})%"],
        )
        [definition] = [row[0] for row in cursor.fetchall()]

    assert definition.endswith(f"WHERE ({column} IS NOT NULL)")

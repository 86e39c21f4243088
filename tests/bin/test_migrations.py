"""bin/migrations.py: which migrations it refuses, and which it lets pass."""

from collections.abc import Sequence
from runpy import run_path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from project.local.env import ROOT

LINTER = run_path(str(ROOT / "bin" / "migrations.py"))
EXCEPTIONS = LINTER["Exceptions"].read()
CHECK = models.CheckConstraint(condition=models.Q(fingerprint__gt=""), name="has_a_print")
BY_PRINT = models.Index(fields=["fingerprint"], name="by_print")


@pytest.fixture(scope="module")
def state() -> Any:
    """The models as all migrations leave them."""
    return MigrationExecutor(None).loader.project_state()


def refused(state: Any, *operations: Operation, atomic: bool = True) -> list[str]:
    """Return why a migration of these operations on today's tables is refused."""
    migration = migrations.Migration("next", "orders")
    migration.operations, migration.atomic = list(operations), atomic
    statements, _state = LINTER["statements_of"](
        MigrationExecutor(connection), migration, state.clone()
    )
    found = LINTER["judge"](
        "orders.next", statements, atomic=atomic, small_tables=EXCEPTIONS.small_tables
    )
    return [each.says for each in found]


def column(name: str, field: "models.Field[Any, Any]") -> Operation:
    return migrations.AddField("order", name, field)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ([column("n", models.IntegerField(default=0))], "doesn't fill this column"),
        (
            # A second column that keeps its default must not hide the first.
            [
                column("n", models.IntegerField(default=0)),
                column("m", models.IntegerField(db_default=0)),
            ],
            "doesn't fill this column",
        ),
        ([migrations.RunSQL("ALTER TABLE orders_order ADD n int NOT NULL")], "doesn't fill"),
        ([migrations.RemoveField("order", "fingerprint")], "uses this column"),
        ([migrations.DeleteModel("OrderEvent")], "uses this table"),
        ([migrations.RenameField("order", "fingerprint", "edition")], "old name"),
        ([migrations.AlterField("order", "fingerprint", models.TextField())], "old type"),
        ([migrations.AddIndex("order", BY_PRINT)], "AddIndexConcurrently"),
        ([migrations.RemoveIndex("order", "order_newest")], "RemoveIndexConcurrently"),
        ([migrations.AddConstraint("order", CHECK)], "AddConstraintNotValid"),
        (
            [
                migrations.AddConstraint(
                    "order", models.UniqueConstraint(fields=["fingerprint"], name="one_each")
                )
            ],
            "builds its index",
        ),
        (
            [
                AddConstraintNotValid("order", CHECK),
                ValidateConstraint("order", "has_a_print"),
            ],
            "a migration of its own",
        ),
        (
            [
                column("n", models.IntegerField(null=True)),
                migrations.RunSQL("UPDATE orders_order SET n = 0"),
            ],
            "a migration of its own",
        ),
        (
            [column("n", models.ForeignKey("orders.Product", models.CASCADE, null=True))],
            "reads all rows",
        ),
        (
            [migrations.RunSQL("ALTER TABLE orders_order ADD COLUMN n uuid DEFAULT uuidv7()")],
            "all rows anew",
        ),
    ],
)
def test_what_locks_a_large_table_or_breaks_the_release_before_is_refused(
    state: Any, operations: Sequence[Operation], says: str
) -> None:
    assert any(says in reason for reason in refused(state, *operations))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("operations", "atomic"),
    [
        ([column("n", models.IntegerField(db_default=0))], True),
        ([column("n", models.IntegerField(null=True))], True),
        ([AddConstraintNotValid("order", CHECK)], True),
        ([AddIndexConcurrently("order", BY_PRINT)], False),
        ([RemoveIndexConcurrently("order", "order_newest")], False),
        (
            [
                migrations.SeparateDatabaseAndState(
                    state_operations=[migrations.RemoveField("order", "fingerprint")]
                )
            ],
            True,
        ),
        (
            [
                migrations.CreateModel(
                    "Parcel",
                    [
                        ("id", models.BigAutoField(primary_key=True)),
                        ("order", models.ForeignKey("orders.Order", models.CASCADE)),
                        ("number", models.TextField(unique=True)),
                    ],
                ),
                migrations.AddIndex("parcel", models.Index(fields=["number"], name="by_number")),
            ],
            True,
        ),
    ],
    ids=["default", "null", "not valid", "index", "no index", "forgotten column", "new table"],
)
def test_what_expands_passes(state: Any, operations: Sequence[Operation], atomic: bool) -> None:
    assert refused(state, *operations, atomic=atomic) == []


def test_a_small_table_may_be_locked_but_not_broken() -> None:
    def judge(*statements: str) -> list[Any]:
        small = {"project_sweep": "a row for each sweep"}
        return list(LINTER["judge"]("x.1", list(statements), atomic=True, small_tables=small))

    assert judge('CREATE INDEX "i" ON "project_sweep" ("name");') == []
    assert len(judge('ALTER TABLE "project_sweep" DROP COLUMN "name" CASCADE;')) == 1


def test_each_exception_names_what_exists_and_its_reason() -> None:
    tables = {model._meta.db_table for model in apps.get_models()}
    known = {"{}.{}".format(*key) for key in MigrationExecutor(None).loader.disk_migrations}

    assert EXCEPTIONS.small_tables.keys() <= tables
    assert EXCEPTIONS.known.keys() <= known
    reasons = [*EXCEPTIONS.small_tables.values(), *EXCEPTIONS.known.values()]
    assert [reason for reason in reasons if not reason.strip()] == []


def test_the_quick_tier_judges_the_migrations() -> None:
    assert '"$python" bin/migrations.py' in (ROOT / "bin" / "test").read_text()

"""Refuse migrations that lock a large table, or that the release before can't live with.

A release is migrated beside the running shop, so the old processes go on with the new tables:
expand → deploy → contract (docs/upgrading.md). This reads the SQL of each migration of ours.
What is known to be safe stands in bin/migrations.toml, with its reason.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlparse

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "bin" / "migrations.toml"
APPS = ("project", "notifications", "media_jobs", "orders")

NAME = r'(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(?P<table>\w+)"?'
ALTER = rf"ALTER TABLE {NAME} "
NO_COLUMN = (
    r"(?!(?:CONSTRAINT|UNIQUE|PRIMARY|FOREIGN|CHECK|EXCLUDE|DEFAULT|NOT|EXPRESSION|IDENTITY)\b)"
)
COLUMN = rf'(?:COLUMN )?(?:IF (?:NOT )?EXISTS )?{NO_COLUMN}"?(?P<column>\w+)"?'
NO_DEFAULT = "the release before doesn't fill this column: it needs a db_default"


@dataclass(frozen=True)
class Rule:
    """A statement that is refused on a table that exists before its migration."""

    pattern: str
    says: str
    locks: bool = True
    """It is refused because of its lock: a table that stays small may be locked."""


RULES = (
    Rule(rf"DROP TABLE {NAME}", "the release before uses this table", locks=False),
    Rule(rf"{ALTER}.*\bDROP {COLUMN}", "the release before uses this column", locks=False),
    Rule(
        rf"{ALTER}RENAME (?!CONSTRAINT)",
        "the release before knows the old name only",
        locks=False,
    ),
    Rule(
        rf"{ALTER}.*\bALTER {COLUMN} TYPE",
        "may write all rows anew, and the release before expects the old type",
        locks=False,
    ),
    Rule(
        rf"{ALTER}.*\bALTER {COLUMN} SET NOT NULL",
        "the release before may write NULL",
        locks=False,
    ),
    Rule(
        rf"{ALTER}.*\bADD {COLUMN} (?!.*\b(?:DEFAULT|GENERATED)\b).*\bNOT NULL",
        NO_DEFAULT,
        locks=False,
    ),
    Rule(
        r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY).*? ON " + NAME,
        "no row can be written meanwhile: AddIndexConcurrently",
    ),
    Rule(
        r"DROP INDEX (?!CONCURRENTLY)", "waits with all others behind it: RemoveIndexConcurrently"
    ),
    Rule(
        r"(?:REINDEX(?! .*CONCURRENTLY)|CLUSTER|VACUUM \(?FULL|LOCK|TRUNCATE)\b",
        "locks the whole table",
    ),
    Rule(
        rf"{ALTER}.*\bADD CONSTRAINT \S+ (?:CHECK|FOREIGN KEY)(?!.*NOT VALID)",
        "reads all rows under its lock: AddConstraintNotValid, and ValidateConstraint in the next",
    ),
    Rule(
        rf"{ALTER}.*\bADD (?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY|EXCLUDE)(?!.*USING INDEX)",
        "builds its index under its lock: a unique index concurrently, then USING INDEX",
    ),
    Rule(
        rf"{ALTER}.*\bADD {COLUMN} .*\bREFERENCES",
        "reads all rows under its lock: a foreign key with db_constraint=False, then NOT VALID",
    ),
    Rule(
        rf"{ALTER}.*\bADD {COLUMN} (?:(?:big|small)?serial\b|.*\bGENERATED\b"
        r"|.*\bDEFAULT .*(?:random|uuid|clock_timestamp|nextval)\w*\()",
        "writes all rows anew: no value that differs by row",
    ),
)

LONG = re.compile(r"ALTER TABLE .* VALIDATE CONSTRAINT|UPDATE|DELETE FROM", re.I)
"""What takes long, and so must not stand behind the lock of an ALTER TABLE."""


@dataclass(frozen=True)
class Finding:
    """A refused statement of a migration, such as `orders.0065_total`."""

    migration: str
    statement: str
    says: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.says}\n    {self.statement[:200]}"


@dataclass(frozen=True)
class Exceptions:
    """What bin/migrations.toml lets pass, each with its reason; and which release comes before."""

    previous_release: str = ""
    small_tables: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = EXCEPTIONS) -> "Exceptions":
        return cls(**tomllib.loads(path.read_text()))


def judge(
    migration: str, statements: list[str], *, atomic: bool, small_tables: Mapping[str, str]
) -> Iterator[Finding]:
    """Give a finding for each statement of the migration that is refused."""
    new: set[str] = set()
    defaults: set[tuple[str, str]] = set()
    """The columns that are added with a default, which they must keep."""
    locked = False
    for statement in statements:
        if created := re.match(rf"CREATE (?:UNLOGGED )?TABLE {NAME}", statement, re.I):
            new.add(created["table"])
        for rule in RULES:
            found = re.match(rule.pattern, statement, re.I)
            table = found.groupdict().get("table") if found else None
            if found and table not in new and not (rule.locks and table in small_tables):
                yield Finding(migration, statement, rule.says)
        if atomic and locked and LONG.match(statement):
            says = "holds the lock of the ALTER TABLE before it: a migration of its own"
            yield Finding(migration, statement, says)
        changed = re.match(ALTER, statement, re.I)
        if changed is None or changed["table"] in new:
            continue
        # VALIDATE CONSTRAINT itself lets rows be read and written.
        locked = locked or not (changed["table"] in small_tables or LONG.match(statement))
        if added := re.match(rf"{ALTER}ADD {COLUMN} .*\bDEFAULT\b.*\bNOT NULL", statement, re.I):
            defaults.add((added["table"], added["column"]))
        dropped = re.match(rf"{ALTER}ALTER {COLUMN} DROP DEFAULT", statement, re.I)
        if dropped and (dropped["table"], dropped["column"]) in defaults:
            yield Finding(migration, statement, NO_DEFAULT)


def statements_of(executor: Any, migration: Any, state: Any) -> tuple[list[str], Any]:
    """Return the migration's SQL, a statement each, and the state behind it."""
    with executor.connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        state = migration.apply(state, editor, collect_sql=True)
    text = sqlparse.format("\n".join(editor.collected_sql), strip_comments=True)
    return [" ".join(each.split()) for each in sqlparse.split(text)], state


def findings(exceptions: Exceptions, *, plan: Any = None) -> Iterator[Finding]:
    """Give what is refused in the migrations of our apps, whether known or not."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.state import ProjectState

    executor = MigrationExecutor(connection)
    plan = plan or executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    state = ProjectState()
    for migration, _backwards in plan:
        if migration.app_label not in APPS:
            state = migration.mutate_state(state, preserve=False)
            continue
        statements, state = statements_of(executor, migration, state)
        yield from judge(
            f"{migration.app_label}.{migration.name}",
            statements,
            atomic=migration.atomic,
            small_tables=exceptions.small_tables,
        )


def main() -> int:
    """Print what is refused; return the exit code."""
    import django

    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    exceptions = Exceptions.read()
    found = list(findings(exceptions))
    refused = [each for each in found if each.migration not in exceptions.known]
    for each in refused:
        print(each)
    stale = sorted(exceptions.known.keys() - {each.migration for each in found})
    for name in stale:
        print(f"{name}: nothing is found in it, so take it out of bin/migrations.toml")
    if refused:
        print("docs/upgrading.md says how to expand first, and contract in a later release.")
    return 1 if refused or stale else 0


if __name__ == "__main__":
    sys.exit(main())

"""Addresses and numbers in texts of all kinds: logs, errors, results, contexts.

The registry names the columns. A table is read in the order of its keys, some thousand rows by one
statement, which locks only the rows that it changes.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import JSONField, Model, Q, QuerySet
from django.db.models.fields import TextField
from django.db.models.functions import Cast

from orders.desk_jobs.kinds import ERASE_PERSON
from orders.models import DeskJob
from orders.personal_data.registry import ERASED, TABLES

BATCH = 2000


def scrub(pattern: str) -> int:
    """Replace what the pattern finds in every scrubbed column; return the number of rows."""
    if not pattern:
        return 0
    changed = 0
    for label, table in TABLES.items():
        if table.scrubbed:
            changed += _scrub(apps.get_model(label), table.scrubbed, pattern)
    return changed


def holding(model: type[Model], columns: Sequence[str], pattern: str) -> QuerySet[Any]:
    """Return the rows with what the pattern finds in any of these columns."""
    rows: QuerySet[Any] = model._default_manager.all()
    if not pattern:
        return rows.none()
    found = Q()
    for column in columns:
        rows = rows.alias(**{f"{column}_text": Cast(column, TextField())})
        found |= Q(**{f"{column}_text__iregex": pattern})
    return rows.filter(found)


def scrub_rows(
    model: type[Model], columns: Sequence[str], pattern: str, *, keys: Sequence[Any]
) -> None:
    """Replace what the pattern finds in these columns of the rows with these keys."""
    table, key, sets, _finds = _parts(model, columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {sets} WHERE {key} = ANY(%(keys)s)",
            {"pattern": pattern, "by": ERASED, "keys": list(keys)},
        )


def _parts(model: type[Model], columns: Sequence[str]) -> tuple[str, str, str, str]:
    """Return table, key, assignments and conditions of a statement that replaces, as SQL."""
    table = connection.ops.quote_name(model._meta.db_table)
    own_key: Any = model._meta.pk
    key = connection.ops.quote_name(own_key.column)
    sets, finds = [], []
    for name in columns:
        field: Any = model._meta.get_field(name)
        column = connection.ops.quote_name(field.column)
        new = f"regexp_replace({column}::text, %(pattern)s, %(by)s, 'gi')"
        if isinstance(field, JSONField):
            new += "::jsonb"
        elif field.max_length:  # what takes its place may be longer
            new = f"left({new}, {field.max_length})"
        sets.append(f"{column} = {new}")
        finds.append(f"{column}::text ~* %(pattern)s")
    return table, key, ", ".join(sets), " OR ".join(finds)


def _scrub(model: type[Model], columns: Sequence[str], pattern: str) -> int:
    table, key, sets, finds = _parts(model, columns)
    # The erasure's own job knows the person until its end.
    spared = f"AND kind <> '{ERASE_PERSON.name}'" if model is DeskJob else ""
    update = (
        f"WITH page AS MATERIALIZED (SELECT {key} AS key FROM {table}"
        f" WHERE %(last)s::text IS NULL OR {key} > %(last)s ORDER BY {key} LIMIT {BATCH}),"
        f" changed AS (UPDATE {table} SET {sets}"
        f" WHERE {key} IN (SELECT key FROM page) AND ({finds})"
        f" {spared} RETURNING 1)"
        " SELECT (SELECT key FROM page ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM changed)"
    )
    changed, last = 0, None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(update, {"pattern": pattern, "by": ERASED, "last": last})
            last, count = cursor.fetchone()
        changed += count
        if last is None:
            return changed

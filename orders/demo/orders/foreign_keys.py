"""Foreign keys of whole batches, without a trigger for each row.

A trigger looks for the row of each key: that is a third of PostgreSQL's work for an order. Most
keys of a batch are of rows that it makes itself. The others are of accounts and products, which
are few.
"""

from collections.abc import Collection
from typing import cast

from django.db import IntegrityError, connection, models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper

from project.database.arrays import array_literal

_MAY_SKIP = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
_IS_SUPERUSER = "SELECT current_setting('is_superuser') = 'on'"
"""Before PostgreSQL 15 the right could not be granted."""


def skip_triggers(cursor: CursorWrapper) -> bool:
    """Let no trigger fire until the transaction ends, if the role may do that; return whether.

    The tables that a batch writes have no triggers but those of foreign keys, so the caller has to
    look for the rows that it refers to and doesn't make: `hold`. Products, which have another one,
    are written outside of batches.
    """
    version = cast(DatabaseWrapper, connection).pg_version
    cursor.execute(_MAY_SKIP if version >= 150_000 else _IS_SUPERUSER)
    (is_allowed,) = cursor.fetchone()
    if is_allowed:
        cursor.execute("SET LOCAL session_replication_role = replica")
    return bool(is_allowed)


def hold(cursor: CursorWrapper, model: type[models.Model], ids: Collection[int]) -> None:
    """Keep the rows from being deleted until the transaction ends, as a foreign key's trigger does.

    Raises IntegrityError if one of them is gone.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    cursor.execute(
        f"""
        WITH held AS MATERIALIZED (
            SELECT FROM {table} WHERE id = ANY(%s::bigint[]) ORDER BY id FOR KEY SHARE
        )
        SELECT count(*) FROM held
        """,
        [array_literal(ids)],
    )
    (found,) = cursor.fetchone()
    if found != len(ids):
        raise IntegrityError(f"{len(ids) - found} rows of {table} are gone")

"""Positions in PostgreSQL's log of changes (WAL), as numbers of bytes since its beginning.

A change can be read on a standby that has replayed the log up to the position at which the primary
was after its COMMIT. Both count the same bytes, so no clock is compared.
"""

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import OperationalError

from project.replica import ALIAS


class NotAStandbyError(OperationalError):
    """The server follows no other: it was promoted, or the address is that of a primary."""


def written_position() -> int:
    """Return up to where the primary has written. Raises django.db.Error.

    That is the position of the next record, so it is past each COMMIT that was answered, also past
    one that didn't wait for the disk.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        return int(cursor.fetchone()[0])


def replayed_position() -> int:
    """Return up to where the replica has replayed. Raises django.db.Error, or NotAStandbyError."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN pg_is_in_recovery()"
            " THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END"
        )
        (position,) = cursor.fetchone()
    if position is None:
        raise NotAStandbyError("the server of REPLICA_DATABASE_URL is no standby")
    return int(position)

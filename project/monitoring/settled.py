"""The time before which nothing can change any more: what an audit has seen up to it is all.

A row's `changed_at` is the time of its statement, but others see the row only after its commit. An
audit that remembered the time of its snapshot would pass by what was committed later.
"""

from datetime import datetime, timedelta

from django.db import connection

OVERLAP = timedelta(seconds=60)
"""How far the audit goes back behind that: sales are judged after a minute, and a clock that was
set back must hide nothing."""
LONGEST = timedelta(hours=1)
"""Transactions that wrote and are open for longer are left to the audit of everything: a forgotten
one must not make each audit longer than the last."""


def settled_time() -> datetime:
    """Return the time before which no open transaction has written, less OVERLAP.

    A transaction has written once it has an id; until then it may be about to, with its running
    statement. An autovacuum runs for long and changes no row. Call it before the snapshot: what
    commits in between is then looked at twice. The sessions of other users show their times only to
    members of pg_read_all_stats; OVERLAP is for theirs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT greatest(
                least(statement_timestamp(), min(
                    CASE WHEN backend_xid IS NOT NULL THEN xact_start
                         WHEN state = 'active' THEN query_start END)),
                statement_timestamp() - make_interval(secs => %s))
                - make_interval(secs => %s)
            FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND backend_type <> 'autovacuum worker'
            """,
            [LONGEST.total_seconds(), OVERLAP.total_seconds()],
        )
        settled: datetime = cursor.fetchone()[0]
        return settled

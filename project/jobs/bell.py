"""The bell: a transaction that queues jobs a shopper waits for wakes the relay by NOTIFY.

It only shortens the relay's pause. A bell that isn't heard (another writer's job, a connection
that was lost, a pooler between us that keeps no session) costs the rest of the pause.
"""

from typing import Any

from django.db import connection
from psycopg import Connection

CHANNEL = "tandem_jobs"
RING = f"pg_notify('{CHANNEL}', '')"
"""The expression that rings at the COMMIT, once for all that a transaction rings. Transactions that
ring commit one after the other: it is for the writer of orders, which commits many at once."""


class Bell:
    """Hears the bell on this thread's connection, outside any transaction."""

    def __init__(self) -> None:
        self._hears: Connection[Any] | None = None

    def wait(self, seconds: float) -> None:
        """Return when the bell has rung since the last call, and after so many seconds."""
        connection.ensure_connection()
        with connection.wrap_database_errors:
            session: Connection[Any] = connection.connection
            if session is not self._hears:
                session.execute(f"LISTEN {CHANNEL}")
                self._hears = session
            for _rung in session.notifies(timeout=seconds, stop_after=1):
                return

"""Bounds on what a relay waits for: locks, statements, and its own open transactions.

The web's connections and the writers' have theirs by the settings. A relay's are set here, thread
by thread, because workers share its settings and have work that may take longer.
"""

from weakref import WeakSet

from django.db import DEFAULT_DB_ALIAS, connections

LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "15s"
IDLE_IN_TRANSACTION_TIMEOUT = "15s"
"""Ends the transaction of a process that is frozen with its locks held."""

_bounded: WeakSet[object] = WeakSet()


def bound_session(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Give this thread's connection the timeouts, once per connection.

    Connects if need be. Raises django.db.Error without a database.
    """
    connection = connections[using]
    connection.ensure_connection()
    if connection.connection in _bounded:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false),"
            " set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [LOCK_TIMEOUT, STATEMENT_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT],
        )
    _bounded.add(connection.connection)

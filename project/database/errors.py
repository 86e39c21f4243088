"""What an error of the database means, by its SQLSTATE: the one table for all of the code.

Django's classes don't tell: a read-only server and a session that the server ended are an
`InternalError`, a database that is full is an `OperationalError`, as a lock timeout is.
"""

from enum import Enum, auto

import psycopg
from django.db import Error, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_NOT_AVAILABLE = "55P03"
UNDEFINED_TABLE = "42P01"
QUERY_CANCELED = "57014"


class Remedy(Enum):
    """What helps against an error."""

    RECONNECT = auto()
    """The session or its server is at fault: drop the connection and do it again on a new one."""
    REPEAT = auto()
    """The moment is at fault: roll back and do it again, after a pause."""
    NONE = auto()
    """The statement or its data is at fault: it would fail again."""


REMEDIES = {
    # ── RECONNECT ──
    "08": Remedy.RECONNECT,  # connection exception
    "25006": Remedy.RECONNECT,  # read-only: a standby, or a primary before its switch-over
    "25P03": Remedy.RECONNECT,  # the session was idle in a transaction for too long
    "25P04": Remedy.RECONNECT,  # its transaction took too long
    "26000": Remedy.RECONNECT,  # its prepared statements are gone
    "28": Remedy.RECONNECT,  # refused at the door: the password is being changed
    "3D000": Remedy.RECONNECT,  # the database isn't there: it is being restored
    "40003": Remedy.RECONNECT,  # nobody knows if the statement was completed
    "53300": Remedy.RECONNECT,  # too many connections
    "57P01": Remedy.RECONNECT,  # the server shuts down, or somebody ended the session
    "57P02": Remedy.RECONNECT,  # the server crashed
    "57P03": Remedy.RECONNECT,  # the server is starting or recovering
    "57P04": Remedy.RECONNECT,  # the database was dropped
    "57P05": Remedy.RECONNECT,  # the session was idle for too long
    # ── REPEAT ──
    "40": Remedy.REPEAT,  # serialization failure, deadlock, conflict with recovery
    "40002": Remedy.NONE,  # a constraint failed at COMMIT
    "53": Remedy.REPEAT,  # disk full, out of memory
    "55006": Remedy.REPEAT,  # object in use
    LOCK_NOT_AVAILABLE: Remedy.REPEAT,
    QUERY_CANCELED: Remedy.REPEAT,  # cancelled: statement_timeout, or an operator
    "58": Remedy.REPEAT,  # the server's own files
}
"""By SQLSTATE, or by class: its first two characters. A whole SQLSTATE goes first."""


def sqlstate(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of an error of psycopg, or of Django's around it.

    None where it never came from the server: the connection broke, or there was none.
    """
    while error is not None:
        if isinstance(error, psycopg.Error):
            return error.sqlstate
        error = error.__cause__
    return None


def remedy(error: BaseException | None) -> Remedy:
    """Return what helps against this error; NONE where it isn't the database's."""
    if not isinstance(error, Error | psycopg.Error):
        return Remedy.NONE
    state = sqlstate(error)
    if state is None:
        # Without a word of the server's: no connection, a broken one, or none free in the pool.
        # Other classes than these two are psycopg's own complaints about the arguments.
        away = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
        return Remedy.RECONNECT if isinstance(error, away) else Remedy.NONE
    return REMEDIES.get(state) or REMEDIES.get(state[:2]) or Remedy.NONE


def is_passing(error: BaseException | None) -> bool:
    """Tell whether the same work may succeed in a moment: it is no fault of the work's own."""
    return remedy(error) is not Remedy.NONE


def is_outage(error: BaseException | None) -> bool:
    """Tell whether the connection can't be used any more; another one may do."""
    return remedy(error) is Remedy.RECONNECT


def is_lock_timeout(error: BaseException | None) -> bool:
    """Tell whether a statement ended because another session holds its rows or its table."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE


def drop(connection: BaseDatabaseWrapper) -> None:
    """Close the connection to the server, so that the next statement gets another.

    One of a pool too, where Django's `close` would give it back, as good or bad as it is. Inside
    a transaction nothing happens: its own end sees to that.
    """
    if connection.in_atomic_block:
        return
    if connection.connection is not None:
        connection.connection.close()
    connection.close()


def dropped_if_lost(error: BaseException | None, connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the error is passing; drop the connection where that is at fault."""
    found = remedy(error)
    if found is Remedy.RECONNECT:
        drop(connection)
    return found is not Remedy.NONE

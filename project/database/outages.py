"""Telling an error of one statement from a database that is away."""

from django.db import Error, InterfaceError, OperationalError
from psycopg import errors

_OF_ONE_STATEMENT = (
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)


def is_outage(error: BaseException) -> bool:
    """Whether this error means that the connection can't be used any more.

    False for what concerns one statement: a lock or a statement that took too long, a deadlock,
    a constraint; the next statement may succeed on the same connection.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    return not isinstance(error.__cause__, _OF_ONE_STATEMENT)


def is_lock_timeout(error: Error) -> bool:
    """Whether a statement gave up because somebody else holds what it needs."""
    return isinstance(error.__cause__, errors.LockNotAvailable)

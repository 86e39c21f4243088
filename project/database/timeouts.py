"""How long each kind of process waits for locks, statements and its own open transactions.

The web's connections and the writers' have their bounds by the settings, a worker's get them as
they are made, a relay's thread by thread. Commands have none: a migration takes its time, and
somebody watches it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


@dataclass(frozen=True)
class Bounds:
    """PostgreSQL's settings of a session, such as "2s"; "0": no bound."""

    lock: str
    statement: str
    idle_in_transaction: str = "0"
    """Ends the transaction of a process that is frozen with its locks held."""

    @property
    def options(self) -> str:
        """The bounds as libpq's `options` of a new connection."""
        return " ".join(f"-c {name}={value}" for name, value in self._settings.items())

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }

    def apply(self, connection: BaseDatabaseWrapper) -> None:
        """Give the session these bounds until it ends."""
        with connection.cursor() as cursor:
            columns = ", ".join("set_config(%s, %s, false)" for _name in self._settings)
            cursor.execute(
                f"SELECT {columns}", [part for pair in self._settings.items() for part in pair]
            )


WEB = Bounds(lock="5s", statement="15s")
"""A request that waits for longer is answered with 503."""
WRITER = Bounds(lock="1s", statement="10s", idle_in_transaction="10s")
RELAY = Bounds(lock="2s", statement="15s", idle_in_transaction="15s")
WORKER = Bounds(lock="10s", statement="10min", idle_in_transaction="10min")
"""Reports, imports and audits read much; what somebody has locked is left to the next try."""
PRUNING_LOCK = "2s"
"""Pruning waits for a lock once per batch, and has many batches."""

_bounded: WeakKeyDictionary[object, Bounds] = WeakKeyDictionary()


def bound_session(bounds: Bounds = RELAY, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Give this thread's connection the bounds, once per connection.

    Connects if need be. Raises django.db.Error without a database.
    """
    own = connections[using]
    own.ensure_connection()
    if _bounded.get(own.connection) != bounds:
        bounds.apply(own)
        _bounded[own.connection] = bounds


def bound_new_connections(bounds: Bounds) -> None:
    """Give the bounds to each connection by the default alias that this process makes from now on.

    The `writer` alias has its own by the settings.
    """

    def bound(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
        if connection.alias == DEFAULT_DB_ALIAS:
            bounds.apply(connection)

    connection_created.connect(bound, weak=False, dispatch_uid="project.database.timeouts")


@contextmanager
def lock_timeout(at_most: str) -> Iterator[None]:
    """Bound the waits for locks of this thread's connection, and put back its own bound."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
    _wait_for_locks(at_most)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _wait_for_locks(before)


def _wait_for_locks(at_most: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [at_most])

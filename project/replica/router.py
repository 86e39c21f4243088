"""Which server the ORM asks where the caller doesn't name one: Django's DATABASE_ROUTERS.

In a block of `reading` it is the replica. Everything else, and each write wherever it stands, goes
to the primary.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from project.replica import ALIAS

_current: ContextVar[str] = ContextVar("server to read", default=DEFAULT_DB_ALIAS)
AUTHORITY = frozenset({"auth", "contenttypes", "mfa", "sessions"})
"""Apps that say who somebody is and what they may: a right that was taken away is gone at once."""
USERS = "orders.user"


@contextmanager
def reading(alias: str) -> Iterator[None]:
    """Let the block's reads ask this server, the replica or the primary."""
    before = _current.set(alias)
    try:
        yield
    finally:
        _current.reset(before)


class ReplicaRouter:
    """Django asks it for each queryset without `using`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        options = model._meta
        is_authority = options.app_label in AUTHORITY or options.label_lower == USERS
        if _current.get() == ALIAS and not is_authority:
            return ALIAS
        return self.db_for_write(model, **hints)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return the primary for what belongs to a row of the replica; else Django decides."""
        state = getattr(hints.get("instance"), "_state", None)
        return DEFAULT_DB_ALIAS if state is not None and state.db == ALIAS else None

    def allow_relation(self, one: Model, other: Model, **_hints: Any) -> bool | None:
        """Allow a row of the replica to be named by one of the primary: they are the same rows."""
        same = {ALIAS, DEFAULT_DB_ALIAS}
        return True if {one._state.db, other._state.db} <= same else None

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool | None:
        return False if db == ALIAS else None

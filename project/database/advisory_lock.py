"""Advisory locks of PostgreSQL: one process at a time does a piece of work, on any host.

A key is a number of our own, or a number and a name. It must not change between two versions
that run side by side.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

Key = tuple[int] | tuple[int, str] | tuple[str]


def _arguments(key: Key) -> str:
    """Return the SQL arguments that take the key's parts as parameters."""
    match key:
        case (int(), str()):
            return "%s::integer, hashtext(%s)"
        case (str(),):
            return "hashtext(%s)"
        case _:
            return "%s"


@contextmanager
def try_lock(*key: int | str, using: str = "default") -> Iterator[bool]:
    """Try to take the lock for the block; yield whether this process holds it.

    It doesn't wait. The lock belongs to the connection `using`, so a process that dies releases it.
    Not for the pages' connections: a pooler may give them another session for the unlock, and the
    lock would stay with the first. They take `try_lock_until_commit`.
    """
    arguments = _arguments(key)  # type: ignore[arg-type]
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({arguments})", key)
        locked: bool = cursor.fetchone()[0]
        try:
            yield locked
        finally:
            if locked:
                cursor.execute(f"SELECT pg_advisory_unlock({arguments})", key)


def try_lock_until_commit(*key: int | str, using: str = "default") -> bool:
    """Try to take the lock until the open transaction ends; tell whether it has it. No waiting."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({_arguments(key)})", key)  # type: ignore[arg-type]
        locked: bool = cursor.fetchone()[0]
        return locked


def lock_until_commit(*key: int | str, using: str = "default") -> None:
    """Wait for the lock and hold it until the open transaction ends."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_arguments(key)})", key)  # type: ignore[arg-type]

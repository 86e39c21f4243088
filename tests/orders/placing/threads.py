"""The writers' threads, cut off and waited for."""

import time
from collections.abc import Callable

from django.db import connection


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def cut_writers() -> None:
    """Terminate every other connection to this database: the writers'."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user"  # not PostgreSQL's own, such as autovacuum's
        )

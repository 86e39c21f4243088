"""The database's time: the clocks of hosts may differ."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the time at which this statement begins, as `Now()` in a query does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now

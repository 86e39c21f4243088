"""The history of `bench jobs`: finished jobs, and a transaction that keeps dead rows alive."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

_FINISHED = """
INSERT INTO notifications_notification
    (id, kind, event, channel, recipient, language, context, status, attempts, progress,
     ring_after, run_after, created_at, started_at, finished_at)
SELECT gen_random_uuid(), 'finished', 'order_placed', 'email', 'ada@example.org', 'en', '{}',
       'done', 1, 100, at, at, at, at, at
FROM (SELECT now() - number * interval '1 second' AS at
      FROM generate_series(1, %s) AS number) AS old
"""


def finished_jobs(count: int) -> None:
    """Write so many finished messages, as old shops have them."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, [count])
        cursor.execute("VACUUM ANALYZE notifications_notification")


@contextmanager
def idle_transaction() -> Iterator[None]:
    """Hold a snapshot open during the block: no row that dies meanwhile can be removed."""
    parameters = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in ("host", "port", "user", "password", "dbname")
    }
    with psycopg.connect(**parameters) as idle:
        idle.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        idle.execute("SELECT count(*) FROM notifications_notification WHERE status = 'queued'")
        yield

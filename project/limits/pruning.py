"""Deletes the counters whose window has ended: their keys are addresses and phone numbers."""

from django.db import connection

BATCH_SIZE = 5000


def forget_ended_counters() -> int | None:
    """Delete up to BATCH_SIZE ended counters; return their number, None if there are none.

    A counter that an order has locked at this moment is left for the next run.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM project_limitcounter WHERE id IN (
                SELECT id FROM project_limitcounter WHERE ends_at <= now()
                ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED
            )
            """,
            [BATCH_SIZE],
        )
        return cursor.rowcount or None

"""The relay's SQL: it chooses ready jobs to publish, and fails jobs that kill their workers."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from project.jobs.handler import handler_of
from project.jobs.model import Job
from project.jobs.queryset import MAX_LOST

RING_BATCH = 200
"""The number of jobs that are rung at a time."""
BURY_BATCH = 100
"""The number of jobs that are buried at a time: each by an UPDATE of its own, with its log."""


def ring(model: type[Job], *, limit: int = RING_BATCH) -> list[UUID]:
    """Mark up to `limit` ready jobs as rung and return their ids, oldest first.

    An order's jobs come before all others: a shopper waits for them, but not for the
    catalogue's.

    A rung job is published next. A job that no worker claims is rung again after 30, 60,
    then every 120 seconds. SKIP LOCKED lets several relays ring side by side.

    A job that kills a process of threads also interrupts the other jobs there. If they always
    ran together, the harmless jobs would fail with it: so jobs that may lose only one more
    worker are rung one at a time, and the others are looked at again after a second.
    """
    handler_of(model).before_dispatch()
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS (
                SELECT id,
                       %(apart)s AND lost + (status = 'running')::int >= %(last)s AS is_last
                FROM {table}
                WHERE ring_after <= statement_timestamp()
                  AND (status = 'queued'
                       OR status = 'running' AND lease_until < statement_timestamp()
                          AND lost < %(last)s)
                ORDER BY order_id IS NULL, ring_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ), alone AS (
                SELECT id FROM due WHERE is_last AND NOT EXISTS (
                    SELECT FROM {table}  -- one that is rung or running
                    WHERE status IN ('queued', 'running')
                      AND ring_after > statement_timestamp()
                      AND lost > 0  -- implied, and as the partial index has it
                      AND (status = 'running' AND lost >= %(last)s
                           OR rings > 0 AND lost + (status = 'running')::int >= %(last)s)
                ) ORDER BY id LIMIT 1
            ), rung AS (
                UPDATE {table} AS job
                -- The pause no longer grows after the third ring, and 2 ^ 1024 is out of range.
                SET rings = CASE WHEN due.is_last AND alone.id IS NULL THEN rings
                            ELSE least(rings + 1, 3) END,
                    ring_after = statement_timestamp() + interval '1 second' *
                                 CASE WHEN due.is_last AND alone.id IS NULL THEN 1
                                 ELSE least(30 * 2 ^ least(rings, 2), 120) END
                FROM due LEFT JOIN alone ON alone.id = due.id
                WHERE job.id = due.id
                RETURNING job.id, job.order_id, job.created_at,
                          due.is_last AND alone.id IS NULL AS waits
            )
            SELECT id FROM rung WHERE NOT waits ORDER BY order_id IS NULL, created_at
            """,
            {"apart": model.shares_process, "last": MAX_LOST - 1, "limit": limit},
        )
        return [row[0] for row in cursor.fetchall()]


def unring(model: type[Job], job_ids: Sequence[UUID]) -> int:
    """Make rung jobs that could not be published ready again at once; return how many."""
    return model.objects.filter(pk__in=job_ids, rings__gt=0).update(
        rings=F("rings") - 1, ring_after=Now()
    )


def bury(model: type[Job], *, limit: int = BURY_BATCH) -> int:
    """Finish up to `limit` jobs that have lost `MAX_LOST` workers; return how many.

    They are failed, or unknown where the handler says that the work may be done.
    """
    handler = handler_of(model)
    with transaction.atomic():
        hopeless = model.objects.hopeless().select_for_update(skip_locked=True)[:limit]
        return sum(
            model.objects.bury(
                job, handler.status_when_lost(job), partial(handler.attempt_fields, job)
            )
            for job in hopeless
        )

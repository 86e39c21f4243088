"""The relay's SQL: it chooses ready jobs to publish, and fails jobs that kill their workers."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from project.jobs.handler import JobHandler, handler_of
from project.jobs.model import Job
from project.jobs.queryset import MAX_LOST, Status

RING_BATCH = 200
"""The number of jobs that are rung at a time."""
SPREAD = 16
"""The messages among which ready jobs are spread before a message names several: the threads and
processes of some workers, so that none does many jobs while another has none."""
BURY_BATCH = 100
"""The number of jobs that are buried at a time: each by an UPDATE of its own, with its log."""


class Rung(NamedTuple):
    """A job that is to be published now."""

    id: UUID
    order_id: UUID | None
    traceparent: str
    ready_for: float
    """Seconds since it became ready."""


def ring(model: type[Job], *, limit: int = RING_BATCH, since: float | None = None) -> list[UUID]:
    """Ring as `rung` does, and return the jobs' ids alone."""
    return [job.id for job in rung(model, limit=limit, since=since)]


def rung(model: type[Job], *, limit: int = RING_BATCH, since: float | None = None) -> list[Rung]:
    """Mark up to `limit` ready jobs as rung and return them, oldest first.

    `since`: only the jobs that became ready in the last so many seconds; see `looks.Looks`.

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
    lately = "AND ring_after >= statement_timestamp() - interval '1 s' * %(since)s"
    ready = f"""
        SELECT id, ring_after AS ready_at,
               %(apart)s AND lost + (status = 'running')::int >= %(last)s AS is_last
        FROM {table}
        WHERE ring_after <= statement_timestamp() {"" if since is None else lately}
          AND (status = 'queued'
               OR status = 'running' AND lease_until < statement_timestamp()
                  AND lost < %(last)s)
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH orders AS (  -- the index begins with this condition, and goes on with ring_after
                {ready} AND (order_id IS NULL) IS FALSE
                ORDER BY ring_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ), others AS (
                {ready} AND (order_id IS NULL) IS TRUE
                ORDER BY ring_after LIMIT %(limit)s - (SELECT count(*) FROM orders)
                FOR UPDATE SKIP LOCKED
            ), due AS (
                SELECT * FROM orders UNION ALL SELECT * FROM others
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
                RETURNING job.id, job.order_id, job.traceparent, job.created_at, due.ready_at,
                          due.is_last AND alone.id IS NULL AS waits
            )
            SELECT id, order_id, traceparent,
                   extract(epoch FROM statement_timestamp() - ready_at)::float8
            FROM rung WHERE NOT waits
            ORDER BY order_id IS NULL, created_at
            """,
            {
                "apart": model.shares_process,
                "last": MAX_LOST - 1,
                "limit": limit,
                "since": since,
            },
        )
        return [Rung(*row) for row in cursor.fetchall()]


def packs(job_ids: Sequence[UUID], *, most: int) -> list[Sequence[UUID]]:
    """Return the jobs of each message, in their order: `most` at most, and few while few are ready.

    A message costs the worker more than a short job itself.
    """
    size = max(1, min(most, -(-len(job_ids) // SPREAD)))
    return [job_ids[start : start + size] for start in range(0, len(job_ids), size)]


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
        return sum(_bury_one(handler, job) for job in hopeless)


def _bury_one(handler: JobHandler[Any], job: Job) -> bool:
    fields = partial(handler.attempt_fields, job)
    won = type(job).objects.bury(job, handler.status_when_lost(job), fields)
    if job.status == Status.FAILED:
        handler.on_failed(job)
    return won

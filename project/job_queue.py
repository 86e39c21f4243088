"""The life of a job in SQL: ready, rung, claimed, held, settled, retried.

Each step is one conditional UPDATE that counts its row, and time is the database's: hosts may
disagree about theirs.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from django.db import connection, models, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from project.jobs import Job

MAX_ATTEMPTS = 8
MAX_LOST = 3
"""How often a worker may die with a job before the job is given up."""
RING_BATCH = 200
"""How many jobs are rung at a time."""
PARKED = datetime(9999, 1, 1, tzinfo=UTC)
"""`ring_after` of a job that nobody rings until somebody wakes it."""


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (Status.QUEUED, Status.RUNNING)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after the given number of attempts: 5 s, 15 s … 1 h, ± 25 %."""
    seconds = min(5 * 3 ** (attempts - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))


class JobQuerySet(models.QuerySet["Job"]):
    """The job's life, each step one conditional UPDATE that counts its row.

    Time is the database's: hosts may disagree about theirs.
    """

    def ready(self) -> "JobQuerySet":
        """Jobs that a worker may claim now: queued and due, or running with their lease over."""
        return self.filter(
            Q(status=Status.QUEUED, run_after__lte=Now())
            | Q(status=Status.RUNNING, lease_until__lt=Now(), lost__lt=MAX_LOST - 1)
        )

    def claim(self, job_id: UUID) -> "Job | None":
        """Take the job for one lease and return it with its token; None if it isn't ready, or
        its model won't let it be taken now.
        """
        with self.model.claiming(job_id) as may_be_claimed:
            return self._claim(job_id) if may_be_claimed else None

    def _claim(self, job_id: UUID) -> "Job | None":
        token = uuid4()
        lease = Now() + self.model.lease
        return (
            self.ready()
            .filter(pk=job_id)
            ._update_returning(
                lost=Case(
                    When(status=Status.RUNNING, then=F("lost") + 1),
                    default=F("lost"),
                    output_field=models.PositiveSmallIntegerField(),
                ),
                status=Status.RUNNING,
                token=token,
                attempts=F("attempts") + 1,
                rings=0,
                lease_until=lease,
                ring_after=lease,
                started_at=Now(),
                finished_at=None,
                progress=0,
            )
        )

    def _update_returning(self, **values: Any) -> "Job | None":
        """Update the one row of this queryset and return it as it is now; None if there is none.

        UPDATE … RETURNING, which the ORM of Django 5.2 can't say; two statements cost every job
        a round trip more.
        """
        query = cast(UpdateQuery, self.query.chain(UpdateQuery))
        query.add_update_values(values)
        statement, parameters = query.get_compiler(self.db).as_sql()
        rows = self.model._default_manager.raw(f"{statement} RETURNING *", parameters)
        return next(iter(rows), None)

    def held(self, job: "Job") -> "JobQuerySet":
        """The job's row, as long as this claim's token is the one that counts."""
        return self.filter(pk=job.pk, token=job.token, status=Status.RUNNING)

    def extend_lease(self, job: "Job") -> bool:
        """Prolong the lease by one more; False if the claim was lost."""
        lease = Now() + self.model.lease
        return bool(self.held(job).update(lease_until=lease, ring_after=lease))

    def set_progress(self, job: "Job", percent: int) -> bool:
        """Show how far the job is, 0 to 100; False if the claim was lost."""
        return bool(self.held(job).update(progress=percent))

    def succeed(self, job: "Job", result: dict[str, Any]) -> bool:
        """Settle the job as done; False if the claim was lost."""
        return self._finish(job, Status.DONE, result=result, error="", progress=100)

    def fail(self, job: "Job", error: str) -> bool:
        """Settle the job as failed with its reason; False if the claim was lost."""
        return self._finish(job, Status.FAILED, error=error)

    def leave_unknown(self, job: "Job", error: str) -> bool:
        """Settle the job as unknown, for a person to decide; False if the claim was lost."""
        return self._finish(job, Status.UNKNOWN, error=error)

    def retry_later(self, job: "Job", error: str) -> bool:
        """Queue the job again after a backoff, or fail it after its last attempt."""
        if job.attempts >= MAX_ATTEMPTS:
            return self.fail(job, error)
        due = Now() + backoff(job.attempts)
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                error=error,
                token=None,
                lease_until=None,
                run_after=due,
                ring_after=due,
                **job.remembered("again", error),
            )
        )

    def park(self, job: "Job", error: str, *, until: datetime | None = None) -> bool:
        """Give the attempt back and let the job wait; False if the claim was lost.

        It waits until that time, or for `unpark`. Such jobs cost nothing: however many there are,
        the relay's index passes them by.
        """
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                attempts=F("attempts") - 1,
                error=error,
                token=None,
                lease_until=None,
                run_after=until or Now(),
                ring_after=until or PARKED,
                **job.remembered("parked", error),
            )
        )

    def parked(self) -> "JobQuerySet":
        """Jobs that wait to be woken."""
        return self.filter(status=Status.QUEUED, ring_after=PARKED)

    def unpark(self, *, limit: int) -> int:
        """Have up to `limit` parked jobs rung, the least recently tried first; return how many."""
        with transaction.atomic():
            waiting = self.parked().order_by("started_at").select_for_update(skip_locked=True)
            chosen = list(waiting.values_list("pk", flat=True)[:limit])
            return self.filter(pk__in=chosen).update(ring_after=Now()) if chosen else 0

    def give_back(self, job: "Job") -> bool:
        """Queue the job again at once, as if it had not been claimed; False if the claim was lost.

        Its process is stopping, which is nobody's failure.
        """
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                attempts=F("attempts") - 1,
                token=None,
                lease_until=None,
                run_after=Now(),
                ring_after=Now(),
                **job.remembered("given back", ""),
            )
        )

    def _finish(self, job: "Job", status: Status, **values: Any) -> bool:
        words = values["error"] or str(values.get("result", {}).get("answer", ""))
        return bool(
            self.held(job).update(
                status=status,
                token=None,
                lease_until=None,
                finished_at=Now(),
                **self.model.forgotten,
                **job.remembered(status.value, words),
                **values,
            )
        )

    def cancel(self) -> int:
        """End what isn't finished of this queryset; return how many.

        Whoever works on one is told so by its next `set_progress`: its claim is lost.
        """
        return self.filter(status__in=OPEN).update(
            status=Status.CANCELLED,
            token=None,
            lease_until=None,
            finished_at=Now(),
            **self.model.forgotten,
        )

    def retry_failed(self) -> int:
        """Queue failed jobs of this queryset anew (the operator's "retry"); return how many."""
        return self._start_again(Status.FAILED)

    def retry_cancelled(self) -> int:
        """Queue cancelled jobs of this queryset anew; return how many."""
        return self._start_again(Status.CANCELLED)

    def _start_again(self, status: Status) -> int:
        return self.filter(status=status).update(
            status=Status.QUEUED,
            attempts=0,
            lost=0,
            rings=0,
            run_after=Now(),
            ring_after=Now(),
            finished_at=None,
        )

    def bury(self) -> int:
        """Fail the jobs that killed their worker each time; return how many."""
        return self.filter(
            status=Status.RUNNING, lease_until__lt=Now(), lost__gte=MAX_LOST - 1
        ).update(
            status=Status.FAILED,
            lost=F("lost") + 1,
            error=f"worker died {MAX_LOST} times",
            token=None,
            lease_until=None,
            finished_at=Now(),
            **self.model.forgotten,
        )

    def ring(self, *, limit: int = RING_BATCH) -> list[UUID]:
        """Mark up to `limit` ready jobs as rung and return their ids, oldest first.

        An order's jobs come before all others: a shopper watches them, nobody watches the
        catalogue's.

        A ring is a promise to publish. A job that nobody claims is rung again after 30, 60,
        then every 120 seconds. SKIP LOCKED lets several relays ring side by side.

        Who kills a process of threads takes its neighbours with it. Claimed together until they
        are given up, the innocent would be given up too: so jobs that have one worker left to
        lose are rung one at a time, and the others look again after a second.
        """
        self.model.before_ring()
        table = connection.ops.quote_name(self.model._meta.db_table)
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
                ), turn AS (
                    SELECT id FROM due WHERE is_last AND NOT EXISTS (
                        SELECT FROM {table}  -- one that is rung or running
                        WHERE status IN ('queued', 'running')
                          AND ring_after > statement_timestamp()
                          AND (status = 'running' AND lost >= %(last)s
                               OR rings > 0 AND lost + (status = 'running')::int >= %(last)s)
                    ) ORDER BY id LIMIT 1
                ), rung AS (
                    UPDATE {table} AS job
                    -- Nobody counts beyond the third ring, and 2 ^ 1024 is out of range.
                    SET rings = CASE WHEN due.is_last AND turn.id IS NULL THEN rings
                                ELSE least(rings + 1, 3) END,
                        ring_after = statement_timestamp() + interval '1 second' *
                                     CASE WHEN due.is_last AND turn.id IS NULL THEN 1
                                     ELSE least(30 * 2 ^ least(rings, 2), 120) END
                    FROM due LEFT JOIN turn ON turn.id = due.id
                    WHERE job.id = due.id
                    RETURNING job.id, job.order_id, job.created_at,
                              due.is_last AND turn.id IS NULL AS waits
                )
                SELECT id FROM rung WHERE NOT waits ORDER BY order_id IS NULL, created_at
                """,
                {"apart": self.model.shares_process, "last": MAX_LOST - 1, "limit": limit},
            )
            return [row[0] for row in cursor.fetchall()]

    def unring(self, job_ids: Sequence[UUID]) -> int:
        """Give back jobs that were marked as rung but could not be published."""
        return self.filter(pk__in=job_ids, rings__gt=0).update(
            rings=F("rings") - 1, ring_after=Now()
        )

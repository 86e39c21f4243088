"""Jobs: outbox row, job row and result row in one.

A job is written in the transaction of what caused it, rung by `project.relay`, claimed by a
worker, and settled under the claim's token. Delivered twice has no effect twice.
"""

import logging
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import (
    Error,
    InterfaceError,
    OperationalError,
    connection,
    models,
    transaction,
)
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from project.stopping import in_hand

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
MAX_LOST = 3
"""How often a worker may die with a job before the job is given up."""
SETTLE_TRIES = 5
SETTLE_PAUSE = 1.0
"""Seconds between two tries to write down that the work is done."""
KEEP_JOBS = timedelta(days=90)
"""How long finished jobs are kept, unless their model says otherwise."""
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


class JobError(Exception):
    """What `Job.perform` raises to say how its attempt ended; the message is for the operator."""


class TransientError(JobError):
    """It may work later: the job is tried again with backoff, eight times in all."""


class PermanentError(JobError):
    """It will never work as it is: the job fails at once."""


class UnknownOutcomeError(JobError):
    """It may have happened, and asking again could double it: a person decides."""


class NotNowError(JobError):
    """What it needs is away, which isn't its fault: it is parked, and the attempt not counted.

    Whoever raises it wakes the parked jobs (`unpark`) when it is time.
    """


class NotClaimedError(Exception):
    """Another worker owns the job, or it is finished: there is nothing to do."""


class LostClaimError(Exception):
    """The lease ran out while the work went on: its result is refused."""


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
        won = (
            self.ready()
            .filter(pk=job_id)
            .update(
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
        return self.filter(pk=job_id, token=token).first() if won else None

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

    def park(self, job: "Job", error: str) -> bool:
        """Give the attempt back and let the job wait until `unpark`; False if the claim was lost.

        Parked jobs cost nothing: however many there are, the relay's index passes them by.
        """
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                attempts=F("attempts") - 1,
                error=error,
                token=None,
                lease_until=None,
                run_after=Now(),
                ring_after=PARKED,
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


class Job(models.Model):
    """One piece of background work. Its id is also its Celery task id.

    A model of jobs names its `queue` and `task`, and says in `perform` what is done.
    """

    queue: ClassVar[str]
    task: ClassVar[str]
    app: ClassVar[str]
    """What the API calls this model's jobs."""
    window: ClassVar[int] = 1000
    """How many messages may wait in the queue: more would only be stale when a worker comes."""
    lease: ClassVar[timedelta] = timedelta(seconds=30)
    heartbeat: ClassVar[timedelta | None] = None
    """How often the lease is prolonged while the work goes on; None: never."""
    shares_process: ClassVar[bool] = True
    """Whether its worker runs several in one process (threads), which die together."""
    max_duration: ClassVar[timedelta] = timedelta(minutes=15)
    """When the heartbeat ends: work that hangs for longer is given to another worker."""
    forgotten: ClassVar[dict[str, Any]] = {}
    """What a job loses when it is settled, however it ends: values that only its work needs."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    order_id = models.UUIDField(_("order"), null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=60)
    context = models.JSONField(_("context"), encoder=DjangoJSONEncoder, default=dict, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.QUEUED, db_default="queued"
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    lost = models.PositiveSmallIntegerField(_("workers lost"), default=0, db_default=0)
    rings = models.PositiveSmallIntegerField(_("rings"), default=0, db_default=0)
    ring_after = models.DateTimeField(_("ring after"), db_default=Now())
    run_after = models.DateTimeField(_("run after"), db_default=Now())
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    token = models.UUIDField(_("token"), null=True, blank=True, editable=False)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0, db_default=0)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    result = models.JSONField(_("result"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["order_id"], name="%(class)s_order"),
            # All that the relay reads: open jobs are few however long the history grows.
            models.Index(
                IsNull(F("order_id"), True),
                F("ring_after"),
                name="%(class)s_open",
                condition=Q(status__in=["queued", "running"]),
            ),
            # What an operator must look at; the health pages count it.
            models.Index(
                fields=["finished_at"],
                name="%(class)s_troubled",
                condition=Q(status__in=["failed", "unknown"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(progress__lte=100), name="%(class)s_progress_is_percent"
            ),
            models.CheckConstraint(
                condition=Q(status="running", token__isnull=False, lease_until__isnull=False)
                | ~Q(status="running") & Q(token__isnull=True, lease_until__isnull=True),
                name="%(class)s_is_leased_while_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @classmethod
    def claiming(cls, job_id: UUID) -> AbstractContextManager[bool]:
        """Tell whether the job may be claimed within the block, ready as it is."""
        return nullcontext(True)

    @classmethod
    def before_ring(cls) -> None:
        """Put off what should not be rung for now, though it is ready."""

    def perform(self) -> dict[str, Any]:
        """Do the work, outside any transaction, and return a small JSON result.

        Raises TransientError, PermanentError, NotNowError or UnknownOutcomeError; anything else
        is taken as transient, so a bug that is mended within the retries loses nothing.
        """
        raise NotImplementedError

    def remembered(self, ended: str, words: str) -> dict[str, Any]:
        """Return what else the row keeps of this attempt, written with its end.

        `ended` is the status that it leads to, or "again", "parked" or "given back"; `words` is
        the error, or the `answer` of a result. Called once for each try to write it.
        """
        return {}

    @classmethod
    def kept_for(cls) -> timedelta:
        """How long jobs are kept after they have finished."""
        return KEEP_JOBS

    @classmethod
    def prunable(cls) -> models.QuerySet[Any]:
        """Jobs that may be deleted once they are old: those that nobody must look at."""
        return cls.objects.filter(status__in=(Status.DONE, Status.CANCELLED))

    @classmethod
    def delete_jobs(cls, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs with everything that they made."""
        cls.objects.filter(pk__in=job_ids).delete()

    def give_back(self) -> None:
        """Let another process do the work: this one stops before it is done."""
        type(self).objects.give_back(self)

    def publish(self) -> None:
        """Write what makes the result visible, in the transaction that settles the job as done.

        Called only while this claim still counts; a late worker never gets here.
        """


def job_models() -> list[type[Job]]:
    """Return every model of jobs in the installed apps."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def run_job(model: type[Job], job_id: UUID) -> dict[str, Any]:
    """Claim the job, do its work, settle it; the one path of workers and relay alike.

    Returns the result. Raises NotClaimedError if there is nothing to do, LostClaimError if the
    lease ran out meanwhile, else what the work raised, after the row says so.
    """
    job = model.objects.claim(job_id)
    if job is None:
        raise NotClaimedError(job_id)
    try:
        with in_hand(job), _lease_kept(job):
            result = job.perform()
        _settle(job, result)
    except LostClaimError:
        raise
    except (OperationalError, InterfaceError):
        # The work may be done and nobody could write so: as if the worker had died with it. To
        # queue it again, once the database is back, would hide that it may be done twice.
        connection.close()
        raise
    except UnknownOutcomeError as error:
        model.objects.leave_unknown(job, str(error))
        raise
    except PermanentError as error:
        model.objects.fail(job, str(error))
        raise
    except NotNowError as error:
        model.objects.park(job, str(error))
        raise
    except TransientError as error:
        model.objects.retry_later(job, str(error))
        raise
    except Exception as error:
        logger.exception("%s %s failed unexpectedly", model.__name__, job_id)
        model.objects.retry_later(job, f"{type(error).__name__}: {error}")
        raise
    return result


def _settle(job: Job, result: dict[str, Any]) -> None:
    """Settle the job as done and publish what it made; a database that restarts is waited for.

    If only the COMMIT's answer was lost, the second try finds no claim: LostClaimError.
    """
    for tries_left in reversed(range(SETTLE_TRIES)):
        try:
            with transaction.atomic():
                # Publishing first would show files of a claim that no longer counts.
                if not type(job).objects.succeed(job, result):
                    raise LostClaimError(job.pk)
                job.publish()
            return
        except (OperationalError, InterfaceError):
            if not tries_left:
                raise
            logger.warning("%s is done, and the database is away", job.pk, exc_info=True)
            connection.close()
            time.sleep(SETTLE_PAUSE)


@contextmanager
def _lease_kept(job: Job) -> Iterator[None]:
    """Prolong the lease in a thread while the work goes on, up to the job's maximum duration."""
    if job.heartbeat is None:
        yield
        return
    pause = job.heartbeat.total_seconds()
    done = threading.Event()
    beats = int(job.max_duration / job.heartbeat)

    def beat() -> None:
        try:
            for _beat in range(beats):
                if done.wait(pause):
                    return
                try:
                    if not type(job).objects.extend_lease(job):
                        return
                except Error:
                    logger.warning("heartbeat of %s missed", job.pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

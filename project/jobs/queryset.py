"""The life cycle of a job in SQL: ready, claimed, held, finished, retried.

Each step is one conditional UPDATE that counts its row. Time is the database's, because the
clocks of hosts may differ.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol, cast
from uuid import UUID, uuid4

from django.db import connections, models, transaction
from django.db.models import Case, Count, F, Min, Q, Value, When
from django.db.models.functions import Extract, Now
from django.db.models.sql import UpdateQuery
from django.utils.translation import gettext_lazy as _

from project.jobs.results import ResultLog
from project.text import clean, clean_json

MAX_ATTEMPTS = 8
MAX_LOST = 3
"""The number of workers that may die with a job before the job fails."""
PARKED = datetime(9999, 1, 1, tzinfo=UTC)
"""`ring_after` of a parked job: the relay doesn't ring it until `unpark`."""


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (Status.QUEUED, Status.RUNNING)
TROUBLED = (Status.FAILED, Status.UNKNOWN)
"""The statuses of jobs that need an operator."""

AttemptFields = Callable[[str, str], dict[str, Any]]
"""Returns further fields about the attempt: see `JobHandler.attempt_fields`."""


def backoff(attempts: int) -> timedelta:
    """Return the pause after the given number of attempts: 5 s, 15 s … 1 h, ± 25 %."""
    seconds = min(5 * 3 ** (attempts - 1), 3600)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))


NO_TOKEN = UUID(int=0)
"""What no job has: for a claim that has none, since NULL would find jobs that nobody holds."""
_SOME_JOB, _SOME_TOKEN = uuid4(), uuid4()
"""The parameters of `claim_statement` for which each claim puts its own."""


@cache
def claim_statement(model: Any, lease: timedelta, alias: str) -> tuple[str, tuple[Any, ...]]:
    """Return the UPDATE … RETURNING of a claim, which Django 5.2's ORM lacks, and its parameters.

    It is compiled once, because the ORM takes three times as long for it as PostgreSQL. The COMMIT
    of a first attempt doesn't wait for the disk: a claim that a crash of the database forgets is of
    a job that is queued again, and whatever its worker writes later is on the disk only after the
    claim; a message's gateway is written before the message is sent. A later attempt may write
    nothing before, so its claim waits.
    """
    until = Now() + lease
    ready = JobQuerySet(model, using=alias)._one_that_is_ready(_SOME_JOB)
    update = ready._update_query(
        lost=Case(
            When(status=Status.RUNNING, then=F("lost") + 1),
            default=F("lost"),
            output_field=models.PositiveSmallIntegerField(),
        ),
        status=Status.RUNNING,
        token=_SOME_TOKEN,
        attempts=F("attempts") + 1,
        rings=0,
        lease_until=until,
        ring_after=until,
        started_at=Now(),
        finished_at=None,
        progress=0,
    )
    statement, parameters = update.get_compiler(alias).as_sql()
    unhurried = (
        "AND set_config('synchronous_commit', CASE WHEN attempts = 0 THEN 'off'"
        " ELSE current_setting('synchronous_commit') END, true) IS NOT NULL"
    )
    return f"{statement} {unhurried} RETURNING *", tuple(parameters)


def _is_ready() -> Q:
    """A worker may claim it now: it is queued and due, or running with an expired lease."""
    return Q(status=Status.QUEUED, run_after__lte=Now()) | Q(
        status=Status.RUNNING, lease_until__lt=Now(), lost__lt=MAX_LOST - 1
    )


class Claim(Protocol):
    """A claimed job, as far as its row is concerned."""

    pk: Any
    token: UUID | None
    attempts: int
    result: Any
    status: Any


def no_fields(ended: str, words: str) -> dict[str, Any]:
    """Return no further fields: the default of `attempt_fields`."""
    return {}


class JobQuerySet(models.QuerySet[Any]):
    """The steps of a job's life cycle; see the module.

    Errors and results may quote texts from outside. Each step cleans its texts, so that the end of
    an attempt can always be written.
    """

    def ready(self) -> "JobQuerySet":
        """Jobs that a worker may claim now: queued and due, or running with an expired lease."""
        return self.filter(_is_ready())

    def hopeless(self) -> "JobQuerySet":
        """Jobs whose last worker has died with them: they were claimed often enough."""
        return self.filter(status=Status.RUNNING, lease_until__lt=Now(), lost__gte=MAX_LOST - 1)

    def count_unfinished(self) -> dict[str, int]:
        """Return the numbers of open and of troubled jobs, by status.

        In one query of a part per status: each part reads the partial index of its status alone.
        One IN over the four statuses fits none of them: it would read the whole table, which is
        mostly of finished jobs.
        """
        first, *others = (self._counted(status) for status in (*OPEN, *TROUBLED))
        return dict(first.union(*others, all=True))

    def _counted(self, status: Status) -> models.QuerySet[Any, tuple[str, int]]:
        """Count the jobs in this status: one row, (status, count)."""
        rows = self.filter(status=status).order_by().annotate(counted=Value(status.value))
        return rows.values("counted").annotate(count=Count("*")).values_list("counted", "count")

    def longest_wait(self) -> float:
        """Return the seconds since when the oldest of the `ready` jobs is due; 0 without one.

        Two queries: the first entry of an index answers each, and the OR of `ready` fits none.
        """
        queued = self.filter(status=Status.QUEUED, run_after__lte=Now())
        lost = self.ready().filter(status=Status.RUNNING)
        waits = [
            rows.order_by().aggregate(wait=Extract(Now() - Min("run_after"), "epoch"))["wait"]
            for rows in (queued, lost)
        ]
        return max(float(wait or 0) for wait in waits)

    def claim(self, job_id: UUID) -> Any:
        """Claim the job for one lease and return it with its token; None if it isn't ready."""
        model: Any = self.model
        statement, parameters = claim_statement(model, model.lease, self.db)
        known = {_SOME_JOB: job_id, _SOME_TOKEN: uuid4()}
        rows = self.model._default_manager.raw(
            statement,
            [known.get(each, each) if isinstance(each, UUID) else each for each in parameters],
        )
        return next(iter(rows), None)

    def _update_query(self, **values: Any) -> UpdateQuery:
        """Return the UPDATE of this queryset, to be compiled into a statement by hand."""
        query = cast(UpdateQuery, self.query.chain(UpdateQuery))
        query.add_update_values(values)
        return query

    def held(self, job: Claim) -> "JobQuerySet":
        """The job's row while this claim's token is the current one; empty after.

        A constraint says that a job has a token while it is running, and only then. The status
        itself isn't asked: see `_one_that_is_ready`.
        """
        return self.filter(pk=job.pk, token=job.token or NO_TOKEN)

    def _one_that_is_ready(self, job_id: UUID) -> "JobQuerySet":
        """Return the job's row if it is ready, found by its primary key.

        A CASE hides the status from the planner. Where statistics from a calm moment say that no
        job is open, it takes the index of open jobs for empty and reads all of it: with the entries
        of all jobs that have ended since an old transaction began.
        """
        case = Case(When(_is_ready(), then=Value(True)), default=Value(False))
        return self.alias(is_ready=case).filter(pk=job_id, is_ready=True)

    def extend_lease(self, job: Claim) -> bool:
        """Extend the lease by its full length; False if the claim was lost."""
        lease = Now() + self.model.lease
        return bool(self.held(job).update(lease_until=lease, ring_after=lease))

    def set_progress(self, job: Claim, percent: int) -> bool:
        """Store the job's progress, 0 to 100; False if the claim was lost."""
        return bool(self.held(job).update(progress=percent))

    def succeed(
        self,
        job: Claim,
        result: dict[str, Any],
        fields: AttemptFields = no_fields,
        log: ResultLog | None = None,
    ) -> bool:
        """Finish the job as done; False if the claim was lost. `job` has the row's result then.

        The same statement writes Celery's log of the result, if `log` is given.
        """
        job.result = result = clean_json(result)
        also = fields(Status.DONE.value, str(result.get("answer", "")))
        values = {"result": result, "error": "", "progress": 100, **also}
        if log is None:
            return self._finish(job, Status.DONE, **values)
        update = self.held(job)._update_query(**self._finished(Status.DONE), **values)
        statement, parameters = log.around(
            *update.get_compiler(self.db).as_sql(), job_id=job.pk, result=result
        )
        with connections[self.db].cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.rowcount == 1

    def fail(self, job: Claim, error: str, fields: AttemptFields = no_fields) -> bool:
        """Finish the job as failed with its reason; False if the claim was lost."""
        error = clean(error)
        also = fields(Status.FAILED.value, error)
        return self._finish(job, Status.FAILED, error=error, **also)

    def leave_unknown(self, job: Claim, error: str, fields: AttemptFields = no_fields) -> bool:
        """Finish the job as unknown, for an operator to decide; False if the claim was lost."""
        error = clean(error)
        also = fields(Status.UNKNOWN.value, error)
        return self._finish(job, Status.UNKNOWN, error=error, **also)

    def call_off(self, job: Claim, reason: str, fields: AttemptFields = no_fields) -> bool:
        """Settle the job as cancelled with its reason; False if the claim was lost."""
        reason = clean(reason)
        also = fields(Status.CANCELLED.value, reason)
        return self._finish(job, Status.CANCELLED, error=reason, **also)

    def retry_later(self, job: Claim, error: str, fields: AttemptFields = no_fields) -> bool:
        """Queue the job again after a backoff, or fail it after its last attempt."""
        if job.attempts >= MAX_ATTEMPTS:
            return self.fail(job, error, fields)
        error = clean(error)
        due = Now() + backoff(job.attempts)
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                error=error,
                token=None,
                lease_until=None,
                run_after=due,
                ring_after=due,
                **fields("again", error),
            )
        )

    def park(
        self,
        job: Claim,
        error: str,
        fields: AttemptFields = no_fields,
        *,
        until: datetime | None = None,
    ) -> bool:
        """Uncount the attempt and let the job wait; False if the claim was lost.

        It waits until `until`, or for `unpark`. Parked jobs cost the relay nothing: its index
        sorts them behind all due jobs.
        """
        error = clean(error)
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                attempts=F("attempts") - 1,
                error=error,
                token=None,
                lease_until=None,
                run_after=until or Now(),
                ring_after=until or PARKED,
                **fields("parked", error),
            )
        )

    def parked(self) -> "JobQuerySet":
        """Jobs that are parked without an end: they wait for `unpark`."""
        return self.filter(status=Status.QUEUED, ring_after=PARKED)

    def unpark(self, *, limit: int) -> int:
        """Make up to `limit` parked jobs due, the least recently tried first; return how many."""
        with transaction.atomic():
            waiting = self.parked().order_by("started_at").select_for_update(skip_locked=True)
            chosen = list(waiting.values_list("pk", flat=True)[:limit])
            return self.filter(pk__in=chosen).update(ring_after=Now()) if chosen else 0

    def release(self, job: Claim, fields: AttemptFields = no_fields) -> bool:
        """Release the claim of a process that stops; False if the claim was lost.

        The job is queued again at once, and the attempt isn't counted.
        """
        return bool(
            self.held(job).update(
                status=Status.QUEUED,
                attempts=F("attempts") - 1,
                token=None,
                lease_until=None,
                run_after=Now(),
                ring_after=Now(),
                **fields("released", ""),
            )
        )

    def bury(self, job: Claim, status: Status, fields: AttemptFields = no_fields) -> bool:
        """Finish a hopeless job under the token of its last claim; False if the claim was lost."""
        error = f"worker died {MAX_LOST} times"
        also = fields(status.value, error)
        return self._finish(job, status, lost=F("lost") + 1, error=error, **also)

    def _finish(self, job: Claim, status: Status, **values: Any) -> bool:
        won = bool(self.held(job).update(**self._finished(status), **values))
        if won:
            job.status = status
        return won

    def _finished(self, status: Status) -> dict[str, Any]:
        """Return the values that the end of a job gives to its columns, whatever its status."""
        return {
            "status": status,
            "token": None,
            "lease_until": None,
            "finished_at": Now(),
            **self.model.cleared_on_finish,
        }

    def cancel(self) -> int:
        """Cancel the unfinished jobs of this queryset; return how many.

        A worker that has one learns it at its next `set_progress`: its claim is lost.
        """
        return self.filter(status__in=OPEN).update(
            status=Status.CANCELLED,
            token=None,
            lease_until=None,
            finished_at=Now(),
            **self.model.cleared_on_finish,
        )

    def start_anew(self) -> int:
        """Queue the running jobs of this queryset again: what they have read is outdated.

        Their claims are lost, so nothing of them counts. Return how many.
        """
        return self.filter(status=Status.RUNNING).update(
            status=Status.QUEUED,
            attempts=F("attempts") - 1,
            token=None,
            lease_until=None,
            progress=0,
            run_after=Now(),
            ring_after=Now(),
        )

    def retry_failed(self) -> int:
        """Queue failed jobs of this queryset anew (the operator's "retry"); return how many."""
        return self.filter(status=Status.FAILED).queue_again()

    def retry_cancelled(self) -> int:
        """Queue cancelled jobs of this queryset anew; return how many."""
        return self.filter(status=Status.CANCELLED).queue_again()

    def queue_again(self) -> int:
        """Queue every job of this queryset anew, as if it had never been tried; return how many.

        Open jobs are left alone; filter by the statuses to queue again.
        """
        return (
            self.exclude(status__in=OPEN)
            .order_by()
            .update(
                status=Status.QUEUED,
                attempts=0,
                lost=0,
                rings=0,
                run_after=Now(),
                ring_after=Now(),
                finished_at=None,
            )
        )

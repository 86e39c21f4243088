"""A claimed job is run once: its lease is kept, and its end is on the row."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.db.models.functions import Now

from notifications.handler import NotificationHandler
from notifications.models import Notification
from project.jobs import run as job_runs
from project.jobs.errors import (
    LostClaimError,
    NotClaimedError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from project.jobs.queryset import JobQuerySet, Status
from project.jobs.run import run_job
from tests.project.jobs.rows import change, queue, row, seconds_until

pytestmark = pytest.mark.django_db
# Only these tables are emptied after each test: all of the shop's would take a second.
on_real_transactions = pytest.mark.django_db(transaction=True, available_apps=["notifications"])


@pytest.fixture
def perform(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Call it with what a job's work does: a function of the job, or an exception to raise."""

    def replace(work: Any) -> None:
        def run(handler: NotificationHandler, job: Notification) -> dict[str, Any]:
            if isinstance(work, Exception):
                raise work
            return work(job)

        monkeypatch.setattr(NotificationHandler, "perform", run)

    return replace


# ── The lease, kept ─────────────────────────────────────────────────────────────────────────
@pytest.fixture
def beating(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Notifications with a heartbeat every 20 ms, for 10 beats at most; released at each beat."""
    beats = threading.Semaphore(0)
    extend = JobQuerySet.extend_lease

    def counted(self: JobQuerySet, job: Any) -> bool:
        answer = extend(self, job)
        beats.release()
        return answer

    monkeypatch.setattr(Notification, "heartbeat", timedelta(milliseconds=20))
    monkeypatch.setattr(Notification, "max_duration", timedelta(milliseconds=200))
    monkeypatch.setattr(JobQuerySet, "extend_lease", counted)
    return beats


@on_real_transactions
def test_the_heartbeat_keeps_the_lease_while_the_work_goes_on(
    beating: threading.Semaphore, perform: Callable[[Any], None]
) -> None:
    job = queue()

    def work(running: Notification) -> dict[str, Any]:
        change(running, lease_until=Now(), ring_after=Now())
        assert beating.acquire(timeout=5)
        assert beating.acquire(timeout=5)
        assert seconds_until("lease_until", running) > 25
        assert seconds_until("ring_after", running) > 25
        return {}

    perform(work)
    run_job(Notification, job.pk)

    assert row(job).status == Status.DONE
    assert not any(thread.name == f"heartbeat-{job.pk}" for thread in threading.enumerate())


@on_real_transactions
def test_the_heartbeat_ends_at_the_longest_duration(
    beating: threading.Semaphore, perform: Callable[[Any], None]
) -> None:
    job = queue()

    def hang(running: Notification) -> dict[str, Any]:
        thread = next(t for t in threading.enumerate() if t.name == f"heartbeat-{job.pk}")
        thread.join(10)
        assert not thread.is_alive()
        return {}

    perform(hang)
    run_job(Notification, job.pk)

    assert [beating.acquire(blocking=False) for _ in range(11)] == [True] * 10 + [False]


@on_real_transactions
def test_the_heartbeat_ends_when_the_claim_is_lost(
    beating: threading.Semaphore, perform: Callable[[Any], None]
) -> None:
    job = queue()

    def lose(running: Notification) -> dict[str, Any]:
        change(running, token=uuid4())
        thread = next(t for t in threading.enumerate() if t.name == f"heartbeat-{job.pk}")
        thread.join(10)
        return {}

    perform(lose)
    with pytest.raises(LostClaimError):
        run_job(Notification, job.pk)

    beats = sum(beating.acquire(blocking=False) for _ in range(20))
    assert beats < 10


# ── Run ─────────────────────────────────────────────────────────────────────────────────────
def test_a_job_is_run_once_however_often_it_is_delivered(
    perform: Callable[[Any], None],
) -> None:
    job = queue()
    sent = []

    def send(running: Notification) -> dict[str, Any]:
        sent.append(running.pk)
        return {"sent": True}

    perform(send)

    assert run_job(Notification, job.pk) == {"sent": True}
    for _ in range(4):
        with pytest.raises(NotClaimedError):
            run_job(Notification, job.pk)

    assert sent == [job.pk]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TransientError("421 busy"), Status.QUEUED, "421 busy"),
        (PermanentError("550 no such user"), Status.FAILED, "550 no such user"),
        (UnknownOutcomeError("no answer"), Status.UNKNOWN, "no answer"),
        (ZeroDivisionError("a bug"), Status.QUEUED, "ZeroDivisionError: a bug"),
    ],
)
def test_how_an_attempt_ended_is_on_the_row(
    perform: Callable[[Any], None], error: Exception, status: Status, reason: str
) -> None:
    job = queue()
    perform(error)

    with pytest.raises(type(error)):
        run_job(Notification, job.pk)

    assert (row(job).status, row(job).error) == (status, reason)
    assert row(job).token is None


def test_a_late_worker_shows_nothing(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = []
    monkeypatch.setattr(
        NotificationHandler, "on_succeeded", lambda handler, job: published.append(job.pk)
    )
    job = queue()

    def overtaken(running: Notification) -> dict[str, Any]:
        change(running, lease_until=Now() - timedelta(seconds=1))
        assert Notification.objects.claim(running.pk) is not None
        return {"by": "the late one"}

    perform(overtaken)
    with pytest.raises(LostClaimError):
        run_job(Notification, job.pk)

    assert published == []
    assert (row(job).status, row(job).result) == (Status.RUNNING, None)


def test_what_cannot_be_shown_is_not_done(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handler: NotificationHandler, job: Notification) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(NotificationHandler, "on_succeeded", fail)
    perform(lambda job: {})
    job = queue()

    with pytest.raises(OSError, match="disk"):
        run_job(Notification, job.pk)

    assert (row(job).status, row(job).result) == (Status.QUEUED, None)
    assert row(job).error == "OSError: the disk is full"


def database_away(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let so many tries to finish meet a database that restarts."""
    succeed, tries = JobQuerySet.succeed, iter(range(times))

    def interrupted(self: JobQuerySet, job: Any, *outcome: Any) -> bool:
        if next(tries, None) is not None:
            raise OperationalError("terminating connection")
        return succeed(self, job, *outcome)

    monkeypatch.setattr(JobQuerySet, "succeed", interrupted)
    monkeypatch.setattr(job_runs, "FINISH_PAUSE", 0.01)


@on_real_transactions
def test_a_database_that_restarts_while_a_job_is_finished_is_waited_for(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[UUID] = []

    def work(job: Notification) -> dict[str, Any]:
        done.append(job.pk)
        return {}

    perform(work)
    database_away(monkeypatch, times=2)
    job = queue()

    run_job(Notification, job.pk)

    assert (row(job).status, len(done)) == (Status.DONE, 1)


@on_real_transactions
def test_a_job_that_could_not_be_finished_is_left_to_its_lease(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(lambda job: {})
    database_away(monkeypatch, times=job_runs.FINISH_TRIES)
    job = queue()

    with pytest.raises(OperationalError):
        run_job(Notification, job.pk)

    # Queued again it would be done twice without a trace; a lost worker leaves one.
    assert row(job).status == Status.RUNNING


def server_says(state: str) -> None:
    """Have the server raise this SQLSTATE."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")


@on_real_transactions
@pytest.mark.parametrize("state", ["25P03", "25006", "57P01", "40P01"])
def test_a_server_that_could_not_be_used_leaves_the_job_to_its_lease(
    perform: Callable[[Any], None], state: str
) -> None:
    perform(lambda job: server_says(state))
    job = queue()

    with pytest.raises(DatabaseError):
        run_job(Notification, job.pk)

    assert row(job).status == Status.RUNNING


@on_real_transactions
def test_control_a_statement_that_is_at_fault_itself_is_told_and_tried_again(
    perform: Callable[[Any], None],
) -> None:
    perform(lambda job: server_says("22012"))
    job = queue()

    with pytest.raises(DatabaseError):
        run_job(Notification, job.pk)

    assert row(job).status == Status.QUEUED
    assert "DataError" in row(job).error

"""A job's life, with Notification as the concrete model and `perform` replaced."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from notifications.handler import NotificationHandler
from notifications.models import Notification
from project.jobs import queryset
from project.jobs import run as job_runs
from project.jobs.dispatch import bury, ring, unring
from project.jobs.errors import (
    LostClaimError,
    NotClaimedError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from project.jobs.model import job_models
from project.jobs.queryset import MAX_ATTEMPTS, JobQuerySet, Status, backoff
from project.jobs.run import run_job
from tests.time_bounds import stretched

pytestmark = pytest.mark.django_db
# Only these tables are emptied after each test: all of the shop's would take a second.
on_real_transactions = pytest.mark.django_db(transaction=True, available_apps=["notifications"])

MINUTE = timedelta(minutes=1)


def queue(**values: Any) -> Notification:
    fields: dict[str, Any] = {
        "order_id": uuid4(),
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": "ada@example.org",
        "language": "en",
    }
    return Notification.objects.create(**fields | values)


def claimed(**values: Any) -> Notification:
    job = Notification.objects.claim(queue(**values).pk)
    assert job is not None
    return job  # type: ignore[return-value]


def change(job: Notification, **values: Any) -> None:
    """Change the row behind everybody's back."""
    assert Notification.objects.filter(pk=job.pk).update(**values) == 1


def row(job: Notification) -> Notification:
    return Notification.objects.get(pk=job.pk)


def seconds_until(field: str, job: Notification) -> float:
    """How far the row's time lies ahead, by the database's clock."""
    [wait] = Notification.objects.filter(pk=job.pk).values_list(F(field) - Now(), flat=True)
    return wait.total_seconds()


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


# ── Ready and claimed ───────────────────────────────────────────────────────────────────────
def test_a_queued_job_is_ready_and_a_later_one_is_not() -> None:
    due, later = queue(), queue(run_after=Now() + MINUTE)

    assert list(Notification.objects.ready()) == [due]
    assert Notification.objects.claim(later.pk) is None


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED, Status.UNKNOWN, Status.CANCELLED])
def test_a_finished_job_is_not_ready(status: Status) -> None:
    job = queue(status=status)

    assert not Notification.objects.ready().exists()
    assert Notification.objects.claim(job.pk) is None


def test_a_claim_is_for_one_lease_and_counts_an_attempt() -> None:
    job = claimed(progress=70, rings=2)

    stored = row(job)
    assert (stored.status, stored.attempts, stored.lost) == (Status.RUNNING, 1, 0)
    assert (stored.rings, stored.progress) == (0, 0)
    assert stored.token == job.token
    assert stored.started_at is not None
    assert 29 < seconds_until("lease_until", job) <= 30
    assert stored.ring_after == stored.lease_until


def test_a_claim_is_one_statement(django_assert_num_queries: Any) -> None:
    job = queue()

    with django_assert_num_queries(1):
        claim = Notification.objects.claim(job.pk)

    assert claim == row(job)
    assert claim.token == row(job).token


def test_a_claimed_job_is_not_ready_until_its_lease_is_over() -> None:
    job = claimed()
    assert Notification.objects.claim(job.pk) is None

    change(job, lease_until=Now() - timedelta(seconds=1))

    assert Notification.objects.claim(job.pk) is not None
    assert (row(job).attempts, row(job).lost) == (2, 1)


def claim_in_parallel(job: Notification, *, times: int = 5) -> int:
    """Claim the job from several connections at once; return how many won."""
    together = threading.Barrier(times)

    def claim() -> bool:
        try:
            with connection.cursor():
                together.wait(10)
            return Notification.objects.claim(job.pk) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return sum(future.result() for future in [pool.submit(claim) for _ in range(times)])


@on_real_transactions
def test_of_five_claims_at_once_one_wins() -> None:
    for _round in range(5):
        assert claim_in_parallel(queue()) == 1


@on_real_transactions
def test_control_a_claim_that_looks_first_and_writes_later_has_several_winners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = threading.Barrier(5)

    def claim(self: JobQuerySet, job_id: UUID) -> Any:
        is_ready = self.ready().filter(pk=job_id).exists()
        looked.wait(10)
        if not is_ready:
            return None
        self.filter(pk=job_id).update(status=Status.RUNNING, token=uuid4(), lease_until=Now())
        return self.get(pk=job_id)

    monkeypatch.setattr(JobQuerySet, "claim", claim)

    assert claim_in_parallel(queue()) == 5


# ── Settled under the claim's token ─────────────────────────────────────────────────────────
def test_a_job_is_done_with_its_result() -> None:
    job = claimed(error="an earlier attempt failed")

    assert Notification.objects.succeed(job, {"provider_id": "x"})

    stored = row(job)
    assert (stored.status, stored.progress, stored.error) == (Status.DONE, 100, "")
    assert stored.result == {"provider_id": "x"}
    assert stored.finished_at is not None
    assert (stored.token, stored.lease_until) == (None, None)


SETTLE = {
    "succeed": lambda job: Notification.objects.succeed(job, {}),
    "fail": lambda job: Notification.objects.fail(job, "late"),
    "retry_later": lambda job: Notification.objects.retry_later(job, "late"),
    "leave_unknown": lambda job: Notification.objects.leave_unknown(job, "late"),
    "set_progress": lambda job: Notification.objects.set_progress(job, 50),
    "extend_lease": lambda job: Notification.objects.extend_lease(job),
}


@pytest.mark.parametrize("settle", SETTLE.values(), ids=SETTLE.keys())
def test_a_worker_that_lost_its_claim_changes_nothing(
    settle: Callable[[Notification], bool],
) -> None:
    late = claimed()
    change(late, lease_until=Now() - timedelta(seconds=1))
    winner = Notification.objects.claim(late.pk)
    before = Notification.objects.filter(pk=late.pk).values().get()

    assert not settle(late)

    assert Notification.objects.filter(pk=late.pk).values().get() == before
    assert winner is not None
    assert Notification.objects.succeed(winner, {"by": "the winner"})


@pytest.mark.parametrize("settle", SETTLE.values(), ids=SETTLE.keys())
def test_a_settled_job_cannot_be_settled_again(
    settle: Callable[[Notification], bool],
) -> None:
    job = claimed()
    assert Notification.objects.succeed(job, {})

    assert not settle(job)


def test_a_late_result_is_accepted_as_long_as_nobody_else_took_the_job() -> None:
    job = claimed()
    change(job, lease_until=Now() - timedelta(seconds=1))

    assert Notification.objects.succeed(job, {})


# ── Tried again ─────────────────────────────────────────────────────────────────────────────
def test_the_backoff_triples_up_to_an_hour_with_a_quarter_of_jitter() -> None:
    for attempts, seconds in enumerate((5, 15, 45, 135, 405, 1215, 3600, 3600), start=1):
        waits = {backoff(attempts).total_seconds() for _ in range(50)}

        assert all(0.75 * seconds <= wait <= 1.25 * seconds for wait in waits)
        assert len(waits) > 1, "jobs that failed together must not come back together"


def test_a_job_to_be_tried_again_waits_for_its_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queryset, "backoff", lambda attempts: attempts * MINUTE)
    job = claimed()

    assert Notification.objects.retry_later(job, "421 try again")

    stored = row(job)
    assert (stored.status, stored.error) == (Status.QUEUED, "421 try again")
    assert (stored.token, stored.lease_until) == (None, None)
    assert 55 < seconds_until("run_after", job) <= 60
    assert stored.ring_after == stored.run_after
    assert ring(Notification) == []
    assert Notification.objects.claim(job.pk) is None


def test_after_its_last_attempt_a_job_fails_with_its_reason() -> None:
    job = queue()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        running = Notification.objects.claim(job.pk)
        assert running is not None
        assert running.attempts == attempt
        assert Notification.objects.retry_later(running, f"reason {attempt}")
        change(job, run_after=Now())

    assert (row(job).status, row(job).error) == (Status.FAILED, "reason 8")
    assert Notification.objects.claim(job.pk) is None


def test_the_operators_retry_starts_anew() -> None:
    job = claimed(attempts=7, lost=2)
    Notification.objects.fail(job, "no such address")
    done = queue(status=Status.DONE)

    assert Notification.objects.all().retry_failed() == 1

    stored = row(job)
    assert (stored.status, stored.attempts, stored.lost) == (Status.QUEUED, 0, 0)
    assert stored.finished_at is None
    assert ring(Notification) == [job.pk]
    assert row(done).status == Status.DONE


# ── Workers that die ────────────────────────────────────────────────────────────────────────
def die(job: Notification) -> None:
    """What a worker leaves that is killed while it runs the job, half a minute later."""
    assert Notification.objects.claim(job.pk) is not None
    change(job, lease_until=Now() - timedelta(seconds=1))


def test_a_job_that_kills_its_worker_three_times_is_given_up() -> None:
    job = queue()
    die(job)
    die(job)
    assert bury(Notification) == 0
    assert row(job).lost == 1
    die(job)

    assert Notification.objects.claim(job.pk) is None
    assert not Notification.objects.ready().exists()
    assert ring(Notification) == []
    assert bury(Notification) == 1

    stored = row(job)
    assert (stored.status, stored.lost) == (Status.FAILED, 3)
    assert stored.error == "worker died 3 times"
    assert stored.finished_at is not None


def test_a_living_third_worker_is_not_buried() -> None:
    job = queue()
    die(job)
    die(job)
    third = Notification.objects.claim(job.pk)
    assert third is not None

    assert bury(Notification) == 0
    assert Notification.objects.succeed(third, {})


def dead_twice() -> Notification:
    """A job that has one worker left to lose, and is due."""
    job = queue()
    die(job)
    die(job)
    change(job, ring_after=Now())
    return job


def a_second_passes() -> None:
    """For those that wait for their turn."""
    Notification.objects.filter(rings=0, lease_until__lt=Now()).update(ring_after=Now())


def test_jobs_that_lost_two_workers_have_their_last_chance_one_at_a_time() -> None:
    doubtful, fresh = {dead_twice().pk for _ in range(2)}, queue()

    first, other = sorted(ring(Notification), key=lambda job_id: job_id == fresh.pk)
    assert other == fresh.pk, "nobody else waits"
    a_second_passes()
    assert ring(Notification) == [], "the first is rung"
    job = Notification.objects.claim(first)
    assert job is not None
    a_second_passes()
    assert ring(Notification) == [], "the first is running"
    Notification.objects.succeed(job, {})
    a_second_passes()

    assert {first, *ring(Notification)} == doubtful


def test_a_last_chance_whose_message_is_lost_is_rung_again() -> None:
    jobs = {dead_twice().pk for _ in range(2)}
    [first] = ring(Notification)
    Notification.objects.update(ring_after=Now())

    [second] = ring(Notification)

    assert {first, second} <= jobs


def test_jobs_in_processes_of_their_own_do_not_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Notification, "shares_process", False)
    jobs = {dead_twice().pk for _ in range(3)}

    assert set(ring(Notification)) == jobs
    assert not MediaJob.shares_process


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
    """Let so many tries to settle meet a database that restarts."""
    succeed, tries = JobQuerySet.succeed, iter(range(times))

    def interrupted(self: JobQuerySet, job: Any, *settled: Any) -> bool:
        if next(tries, None) is not None:
            raise OperationalError("terminating connection")
        return succeed(self, job, *settled)

    monkeypatch.setattr(JobQuerySet, "succeed", interrupted)
    monkeypatch.setattr(job_runs, "FINISH_PAUSE", 0.01)


@on_real_transactions
def test_a_database_that_restarts_while_a_job_is_settled_is_waited_for(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    perform(lambda job: done.append(job.pk) or {})
    database_away(monkeypatch, times=2)
    job = queue()

    run_job(Notification, job.pk)

    assert (row(job).status, len(done)) == (Status.DONE, 1)


@on_real_transactions
def test_a_job_that_could_not_be_settled_is_left_to_its_lease(
    perform: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(lambda job: {})
    database_away(monkeypatch, times=job_runs.FINISH_TRIES)
    job = queue()

    with pytest.raises(OperationalError):
        run_job(Notification, job.pk)

    # Queued again it would be done twice without a trace; a lost worker leaves one.
    assert row(job).status == Status.RUNNING


# ── Rung ────────────────────────────────────────────────────────────────────────────────────
def test_ready_jobs_are_rung_oldest_first_and_only_once() -> None:
    young, old, middle = (
        queue(created_at=Now() - minutes * MINUTE, ring_after=Now() - minutes * MINUTE)
        for minutes in (1, 3, 2)
    )
    queue(run_after=Now() + MINUTE, ring_after=Now() + MINUTE)
    claimed()
    queue(status=Status.DONE)

    assert ring(Notification, limit=2) == [old.pk, middle.pk]
    assert ring(Notification) == [young.pk]
    assert ring(Notification) == []


def test_a_shoppers_job_is_rung_before_the_catalogues_older_ones() -> None:
    catalogues = queue(order_id=None, ring_after=Now() - MINUTE)
    shoppers = queue(order_id=uuid4())

    assert ring(Notification, limit=1) == [shoppers.pk]
    assert ring(Notification, limit=1) == [catalogues.pk]


def test_an_unclaimed_job_is_rung_again_after_30_then_60_then_every_120_seconds() -> None:
    job = queue()
    waits = []
    for _ring in range(5):
        assert ring(Notification) == [job.pk]
        waits.append(round(seconds_until("ring_after", job)))
        change(job, ring_after=Now())

    assert waits == [30, 60, 120, 120, 120]


def test_a_job_that_nobody_claimed_for_weeks_is_still_rung() -> None:
    job = queue(rings=32_767)

    assert ring(Notification) == [job.pk]
    assert round(seconds_until("ring_after", job)) == 120


def test_a_job_whose_worker_died_is_rung_when_its_lease_is_over() -> None:
    job = queue()
    die(job)
    change(job, ring_after=Now())

    assert ring(Notification) == [job.pk]


def test_a_job_that_could_not_be_published_is_given_back_at_once() -> None:
    job = queue()
    assert ring(Notification) == [job.pk]

    assert unring(Notification, [job.pk]) == 1

    assert row(job).rings == 0
    assert ring(Notification) == [job.pk]
    assert round(seconds_until("ring_after", job)) == 30


def test_a_job_that_was_claimed_meanwhile_is_not_given_back() -> None:
    job = queue()
    ring(Notification)
    assert Notification.objects.claim(job.pk) is not None

    assert unring(Notification, [job.pk]) == 0
    assert ring(Notification) == []


@on_real_transactions
def test_two_relays_ring_side_by_side_without_waiting_or_sharing() -> None:
    jobs_there = {queue().pk for _ in range(10)}
    rung, hold, release = [], threading.Event(), threading.Event()

    def first_relay() -> None:
        with transaction.atomic():
            rung.extend(ring(Notification, limit=4))
            hold.set()
            release.wait(10)
        connection.close()

    thread = threading.Thread(target=first_relay)
    thread.start()
    assert hold.wait(5)
    started = time.monotonic()

    others = ring(Notification)

    waited = time.monotonic() - started
    release.set()
    thread.join()
    assert waited < stretched(1.0)
    assert len(rung) == 4
    assert set(rung) | set(others) == jobs_there
    assert set(rung).isdisjoint(others)


# ── Constraints ─────────────────────────────────────────────────────────────────────────────
BROKEN = {
    "a status that there isn't": {"status": "lost"},
    "progress beyond 100 percent": {"progress": 101},
    "running without a lease": {"status": Status.RUNNING, "token": uuid4()},
    "running without a token": {"status": Status.RUNNING, "lease_until": Now()},
    "done with a token": {"status": Status.DONE, "token": uuid4()},
    "queued with a lease": {"lease_until": Now()},
    "negative attempts": {"attempts": -1},
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN.keys())
def test_the_database_refuses_a_broken_job(values: dict[str, Any]) -> None:
    job = queue()

    with pytest.raises(DatabaseError), transaction.atomic():
        change(job, **values)


def test_one_notification_per_order_event_channel_and_recipient() -> None:
    job = queue()

    with pytest.raises(IntegrityError, match="one_notification_per_event"), transaction.atomic():
        queue(order_id=job.order_id)

    queue(order_id=job.order_id, recipient="else@example.org")
    queue(order_id=job.order_id, channel="sms")
    queue(order_id=job.order_id, event="order_paid")


def test_one_media_job_per_source_and_recipe() -> None:
    MediaJob.objects.create(kind="renditions", source="asset:1", recipe="product")

    with pytest.raises(IntegrityError, match="one_job_per_recipe"), transaction.atomic():
        MediaJob.objects.create(kind="renditions", source="asset:1", recipe="product")


# ── The queryset in the relay's eyes ────────────────────────────────────────────────────────
def test_every_model_of_jobs_is_found() -> None:
    assert {Notification, MediaJob} <= set(job_models())


def test_looking_for_jobs_reads_the_index_of_open_ones() -> None:
    with connection.cursor() as cursor:
        # What a table of no rows and many dead ones is read by says nothing of a full one.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM notifications_notification"
            " WHERE ring_after <= now() AND (status = 'queued'"
            " OR status = 'running' AND lease_until < now() AND lost < 2)"
            " ORDER BY order_id IS NULL, ring_after LIMIT 200"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "notification_open" in plan
    assert "Sort" not in plan

"""A job's life in SQL, with Notification as the concrete model."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.models import Notification
from project.jobs import queryset
from project.jobs.dispatch import ring
from project.jobs.queryset import MAX_ATTEMPTS, JobQuerySet, Status, backoff
from tests.project.jobs.rows import change, claimed, queue, row, seconds_until

pytestmark = pytest.mark.django_db
# Only these tables are emptied after each test: all of the shop's would take a second.
on_real_transactions = pytest.mark.django_db(transaction=True, available_apps=["notifications"])

MINUTE = timedelta(minutes=1)


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


@pytest.mark.parametrize(("attempts", "waits"), [(0, "off"), (1, "on"), (7, "on")])
def test_the_claim_of_a_later_attempt_waits_for_the_disk(attempts: int, waits: str) -> None:
    job = queue(attempts=attempts)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")

        assert Notification.objects.claim(job.pk)

        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (waits,)


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


# ── Finished under the claim's token ─────────────────────────────────────────────────────────
def test_a_job_is_done_with_its_result() -> None:
    job = claimed(error="an earlier attempt failed")

    assert Notification.objects.succeed(job, {"provider_id": "x"})

    stored = row(job)
    assert (stored.status, stored.progress, stored.error) == (Status.DONE, 100, "")
    assert stored.result == {"provider_id": "x"}
    assert stored.finished_at is not None
    assert (stored.token, stored.lease_until) == (None, None)


FINISH = {
    "succeed": lambda job: Notification.objects.succeed(job, {}),
    "fail": lambda job: Notification.objects.fail(job, "late"),
    "retry_later": lambda job: Notification.objects.retry_later(job, "late"),
    "leave_unknown": lambda job: Notification.objects.leave_unknown(job, "late"),
    "set_progress": lambda job: Notification.objects.set_progress(job, 50),
    "extend_lease": lambda job: Notification.objects.extend_lease(job),
}


@pytest.mark.parametrize("finish", FINISH.values(), ids=FINISH.keys())
def test_a_worker_that_lost_its_claim_changes_nothing(
    finish: Callable[[Notification], bool],
) -> None:
    late = claimed()
    change(late, lease_until=Now() - timedelta(seconds=1))
    winner = Notification.objects.claim(late.pk)
    before = Notification.objects.filter(pk=late.pk).values().get()

    assert not finish(late)

    assert Notification.objects.filter(pk=late.pk).values().get() == before
    assert winner is not None
    assert Notification.objects.succeed(winner, {"by": "the winner"})


@pytest.mark.parametrize("finish", FINISH.values(), ids=FINISH.keys())
def test_a_finished_job_cannot_be_finished_again(
    finish: Callable[[Notification], bool],
) -> None:
    job = claimed()
    assert Notification.objects.succeed(job, {})

    assert not finish(job)


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

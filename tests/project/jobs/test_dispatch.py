"""The relay's SQL: it rings ready jobs and buries those that kill their workers."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from media_jobs.models import MediaJob
from notifications.benchmarks.history import idle_transaction
from notifications.models import Notification
from project.jobs.dispatch import SPREAD, bury, packs, ring, unring
from project.jobs.model import job_models
from project.jobs.queryset import Status
from tests.project.jobs.rows import change, claimed, queue, row, seconds_until
from tests.time_bounds import stretched

pytestmark = pytest.mark.django_db
# Only these tables are emptied after each test: all of the shop's would take a second.
on_real_transactions = pytest.mark.django_db(transaction=True, available_apps=["notifications"])

MINUTE = timedelta(minutes=1)


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


@on_real_transactions
def test_a_job_that_another_relay_has_locked_does_not_delay_the_others() -> None:
    first, second = queue(), queue()
    for job in (first, second):
        for _death in range(3):
            die(job)
    buried: list[int] = []

    def bury_elsewhere() -> None:
        buried.append(bury(Notification))
        connection.close()

    with transaction.atomic():
        Notification.objects.select_for_update().get(pk=first.pk)
        elsewhere = threading.Thread(target=bury_elsewhere)
        elsewhere.start()
        elsewhere.join(stretched(10))
        assert buried == [1], "it waits for no lock"

    assert bury(Notification) == 1
    assert {row(job).status for job in (first, second)} == {Status.FAILED}


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


def test_a_job_that_could_not_be_published_is_ready_again_at_once() -> None:
    job = queue()
    assert ring(Notification) == [job.pk]

    assert unring(Notification, [job.pk]) == 1

    assert row(job).rings == 0
    assert ring(Notification) == [job.pk]
    assert round(seconds_until("ring_after", job)) == 30


def test_a_job_that_was_claimed_meanwhile_is_not_unrung() -> None:
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


# ── The queryset in the relay's eyes ────────────────────────────────────────────────────────
def test_every_model_of_jobs_is_found() -> None:
    assert {Notification, MediaJob} <= set(job_models())


@pytest.mark.parametrize("since", [None, 2.0])
def test_looking_for_jobs_reads_the_index_of_open_ones(since: float | None) -> None:
    query = statement_of_ring(since=since)
    with connection.cursor() as cursor:
        # Many that are done and many that are ready: to read or sort them all costs more.
        cursor.execute(
            "INSERT INTO notifications_notification (id, order_id, kind, event, channel, recipient,"
            " language, context, status, finished_at)"
            " SELECT gen_random_uuid(), CASE WHEN number % 3 > 0 THEN gen_random_uuid() END,"
            " 'order_placed.email', 'order_placed', 'email', 'ada@example.org', 'en', '{}',"
            " CASE WHEN number % 5 = 0 THEN 'queued' ELSE 'done' END,"
            " CASE WHEN number % 5 = 0 THEN NULL ELSE now() END"
            " FROM generate_series(1, 20000) AS number"
        )
        cursor.execute("ANALYZE notifications_notification")  # else the planner guesses
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        [[[plan]]] = cursor.fetchall()

    for name in ("CTE orders", "CTE others"):
        [due] = [node for node in nodes_of(plan["Plan"]) if node.get("Subplan Name") == name]
        kinds = {node["Node Type"]: node for node in nodes_of(due)}
        found = kinds["Index Scan"]
        assert found["Index Name"] == "notification_going_on"
        assert "order_id IS NULL" in found["Index Cond"], "else it passes the jobs of the others"
        assert kinds.keys().isdisjoint({"Seq Scan", "Sort", "Incremental Sort", "Bitmap Heap Scan"})


@on_real_transactions
def test_a_look_that_goes_back_a_second_passes_nothing_that_is_older() -> None:
    queued = [queue(ring_after=Now() - MINUTE) for _ in range(600)]
    with idle_transaction():  # whose snapshot keeps what dies from now on
        while ring(Notification):
            pass
        for job in queued:
            change(job, status=Status.DONE)

        short, whole = (pages_of(statement_of_ring(since=since)) for since in (1.0, None))

    assert short < 20
    assert whole > 5 * short, "the control: a whole look reads the pages of all that were ready"


def statement_of_ring(*, since: float | None) -> str:
    with CaptureQueriesContext(connection) as asked:
        ring(Notification, since=since)
    [query] = [query["sql"] for query in asked if "AS (  -- the index" in query["sql"]]
    return query


def pages_of(statement: str) -> int:
    """Return how many pages the statement touches, in memory or not."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        [[[plan]]] = cursor.fetchall()
    return plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return a plan's node and all below it."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


# ── Messages ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("ready", "sizes"),
    [(1, [1]), (SPREAD, [1] * SPREAD), (3 * SPREAD - 1, [3] * 15 + [2]), (SPREAD * 9, [4] * 36)],
)
def test_few_jobs_have_a_message_each_and_many_share_one(ready: int, sizes: list[int]) -> None:
    job_ids = [uuid4() for _ in range(ready)]

    shared = packs(job_ids, most=4)

    assert [len(pack) for pack in shared] == sizes
    assert [job_id for pack in shared for job_id in pack] == job_ids

"""The relay, on the embedded broker and on brokers that are away, frozen, or back again."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import autodiscover_modules

from media_jobs.models import MediaJob
from media_jobs.outbox import AT_ONCE
from notifications.handler import NotificationHandler
from notifications.models import Notification
from project import relay as module
from project.celery import app
from project.jobs import looks
from project.jobs.dispatch import RING_BATCH, SPREAD, bury
from project.jobs.publisher import BrokerDown, BrokerHealth, Publisher
from project.jobs.queryset import Status
from project.local.env import ROOT
from project.models import Heartbeat, process_name
from project.models import Sweep as SweepRow
from project.monitoring.health import read_health
from project.relay import Relay
from project.schedule import sweeps
from project.schedule.sweeps import Sweep
from tests.brokers import application
from tests.concurrency.workers import running_relay
from tests.live import wait_until
from tests.project.gateway import Gateway, gateway_to
from tests.time_bounds import stretched

# Only these tables are emptied after each test: all of the shop's would take a second.
pytestmark = pytest.mark.django_db(
    transaction=True, available_apps=["project", "notifications", "media_jobs"]
)

HOUR = timedelta(hours=1)
BROKER = os.environ["CELERY_BROKER_URL"]


def notification(**values: Any) -> Notification:
    fields: dict[str, Any] = {
        "order_id": uuid4(),
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": "ada@example.org",
        "language": "en",
    }
    return Notification.objects.create(**fields | values)


def picture(**fields: Any) -> MediaJob:
    values = {"kind": "pickup_pass", "source": f"order:{uuid4()}", "recipe": "pass"}
    return MediaJob.objects.create(**(values | fields))


@pytest.fixture(autouse=True)
def every_sweep_is_registered() -> None:
    """Before a test replaces the list: those that register later would go into the test's."""
    autodiscover_modules("sweeps")


@pytest.fixture(autouse=True)
def queues() -> Iterator["Queues"]:
    with app.connection_for_write() as broker:
        found = Queues(broker.default_channel)
        found.empty()
        yield found
        found.empty()


class Queues:
    """What a worker would find in the broker."""

    def __init__(self, channel: Any) -> None:
        self._client = channel.client

    def length(self, name: str) -> int:
        return self._client.llen(name)

    def messages(self, name: str) -> list[dict[str, Any]]:
        """The messages in the order in which workers take them."""
        return [json.loads(text) for text in reversed(self._client.lrange(name, 0, -1))]

    def task_ids(self, name: str) -> list[UUID]:
        return [UUID(message["headers"]["id"]) for message in self.messages(name)]

    def empty(self) -> None:
        self._client.delete("notify", "media", "default")


@pytest.fixture
def relays() -> Iterator[Callable[..., Relay]]:
    """Call it for a relay; what it started ends with the test."""
    made: list[Relay] = []

    def make(url: str = BROKER) -> Relay:
        made.append(Relay(app if url == BROKER else application(url)))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


@pytest.fixture
def dead_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateway_to(BROKER) as between:
        yield between


# ── Publishing ──────────────────────────────────────────────────────────────────────────────
def test_ready_jobs_go_to_their_queues_under_their_own_ids(
    relays: Callable[..., Relay], queues: Queues
) -> None:
    first, second, image = notification(), notification(), picture()
    notification(run_after=Now() + HOUR, ring_after=Now() + HOUR)

    assert relays().tick() == 3

    assert queues.task_ids("notify") == [first.pk, second.pk]
    assert queues.task_ids("media") == [image.pk]
    [message] = queues.messages("media")
    assert message["headers"]["task"] == "media_jobs.tasks.process"
    assert message["headers"]["argsrepr"] == f"['{image.pk}']"
    assert message["properties"]["correlation_id"] == str(image.pk)


def test_many_ready_jobs_share_messages_and_count_each_against_the_window(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notification, "window", 64)
    jobs = [notification() for _ in range(70)]
    relay = relays()

    assert [relay.tick(), relay.tick()] == [64, 0]

    [first, *_others] = queues.messages("notify")
    assert queues.length("notify") == SPREAD
    assert first["headers"]["argsrepr"] == repr([str(job.pk) for job in jobs[:4]])


def test_a_job_is_published_once_per_ring(relays: Callable[..., Relay], queues: Queues) -> None:
    notification()
    relay = relays()

    assert [relay.tick() for _ in range(3)] == [1, 0, 0]

    assert queues.length("notify") == 1


def test_a_look_goes_back_to_the_last_one_and_now_and_then_over_all(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relays()
    relay.tick()

    late = notification(ring_after=Now() - HOUR)  # by a transaction that took an hour
    asked_for = picture(ring_after=AT_ONCE)
    assert relay.tick() == 1
    assert queues.task_ids("media") == [asked_for.pk]

    monkeypatch.setattr(looks, "WHOLE_EVERY", 0.0)
    assert relay.tick() == 1
    assert queues.task_ids("notify") == [late.pk]


def test_all_jobs_of_a_long_transaction_are_rung_once_a_whole_look_has_found_the_first(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RING_BATCH", 2)
    relay = relays()
    relay.tick()
    for _job in range(5):
        notification(ring_after=Now() - HOUR)

    assert relay.tick() == 0
    monkeypatch.setattr(looks, "WHOLE_EVERY", 0.0)
    assert relay.tick() == 2
    monkeypatch.setattr(looks, "WHOLE_EVERY", 5.0)
    assert [relay.tick() for _look in range(3)] == [2, 1, 0]


def test_what_a_flushed_broker_lost_is_rung_again(
    relays: Callable[..., Relay], queues: Queues
) -> None:
    job = notification()
    relay = relays()
    relay.tick()
    queues.empty()

    Notification.objects.update(ring_after=Now())  # half a minute later

    assert relay.tick() == 1
    assert queues.task_ids("notify") == [job.pk]


def test_a_queue_that_no_worker_empties_is_not_filled_without_end(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notification, "window", 4)
    for _ in range(6):
        notification()
    relay = relays()

    for _ in range(5):
        relay.tick()
        Notification.objects.update(ring_after=Now())  # all are due again
    picture()
    relay.tick()

    assert queues.length("notify") == 4
    assert queues.length("media") == 1, "a full queue must not stop the others"


@pytest.mark.parametrize(("ready", "waits"), [(3, 1), (4, 0), (9, 0)])
def test_a_relay_that_has_filled_a_queue_looks_again_without_waiting_for_the_bell(
    relays: Callable[..., Relay],
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
    ready: int,
    waits: int,
) -> None:
    for _ in range(ready):
        picture()
    relay, waited = relays(), list[float]()
    monkeypatch.setattr(relay._bell, "wait", waited.append)

    relay.look()

    assert queues.length("media") == min(ready, MediaJob.window)
    assert len(waited) == waits


def test_a_queue_that_is_full_already_makes_no_relay_hurry(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(9):
        picture()
    relay, waited = relays(), list[float]()
    monkeypatch.setattr(relay._bell, "wait", waited.append)

    relay.look()
    relay.look()

    assert len(waited) == 1, "once the workers have as much as they may"


def test_a_full_batch_costs_as_many_statements_as_a_small_one(
    relays: Callable[..., Relay], queues: Queues
) -> None:
    relay = relays()
    notification()
    relay.tick()  # the first look reads what it keeps
    notification()
    with CaptureQueriesContext(connection) as for_one:
        assert relay.tick() == 1
    for _ in range(RING_BATCH):
        notification()

    with CaptureQueriesContext(connection) as for_all:
        assert relay.tick() == RING_BATCH

    assert len(for_all) == len(for_one)


def test_a_full_batch_is_followed_by_the_next_without_a_pause(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relays()
    handled = iter([RING_BATCH, RING_BATCH, 3])
    pauses: list[float] = []
    monkeypatch.setattr(relay, "tick", lambda: next(handled))
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(relay._bell, "wait", pauses.append)

    for _ in range(3):
        relay.look()

    assert sum(pauses) == pytest.approx(module.INTERVAL)


# ── A broker that is away ───────────────────────────────────────────────────────────────────
def test_jobs_that_cannot_be_published_are_ready_again_at_once(
    relays: Callable[..., Relay], queues: Queues, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [notification() for _ in range(5)]
    relay = relays(gateway.url)
    publish = relay.publisher.publish

    def cut_at_the_third(model: Any, job_id: UUID, **options: Any) -> None:
        if job_id == jobs[2].pk:
            gateway.cut()
        publish(model, job_id, **options)

    monkeypatch.setattr(relay.publisher, "publish", cut_at_the_third)

    assert relay.tick() == 2

    assert queues.task_ids("notify") == [jobs[0].pk, jobs[1].pk]
    assert not relay.publisher.health.ok
    assert relays().tick() == 3, "another relay, with a way to the broker, publishes the rest"
    assert queues.task_ids("notify") == [job.pk for job in jobs]


def test_nothing_is_rung_while_the_broker_is_known_to_be_away(
    relays: Callable[..., Relay], dead_port: int
) -> None:
    notification()
    relay = relays(f"redis://127.0.0.1:{dead_port}/0")

    assert [relay.tick(), relay.tick()] == [0, 0]

    assert Notification.objects.get().rings == 0
    assert "refused" in relay.publisher.health.error


def test_an_idle_relay_notices_a_broken_broker_with_its_next_look(
    relays: Callable[..., Relay], gateway: Gateway
) -> None:
    relay = relays(gateway.url)
    relay.tick()
    assert relay.publisher.health.ok

    gateway.cut()
    relay.tick()

    assert not relay.publisher.health.ok


def test_publishing_goes_on_when_the_broker_is_back(
    relays: Callable[..., Relay], queues: Queues, gateway: Gateway
) -> None:
    relay = relays(gateway.url)
    with running_relay(relay):
        before = notification()
        wait_until(lambda: queues.length("notify") == 1, seconds=30)
        gateway.cut()
        wait_until(lambda: not relay.publisher.health.ok, seconds=30)
        during = notification()
        gateway.mend()
        wait_until(lambda: queues.length("notify") == 2, seconds=30)
        after = notification()
        wait_until(lambda: queues.length("notify") == 3, seconds=30)

    assert queues.task_ids("notify") == [before.pk, during.pk, after.pk]


def test_a_frozen_broker_holds_up_the_relay_once_and_no_longer_than_its_timeout(
    relays: Callable[..., Relay], queues: Queues, gateway: Gateway
) -> None:
    relay = relays(gateway.url)
    relay.tick()
    job, image = notification(), picture()
    gateway.freeze()
    started = time.monotonic()

    relay.tick()
    first = time.monotonic() - started
    started = time.monotonic()
    for _ in range(3):
        relay.tick()
    later = time.monotonic() - started

    assert "Timeout" in relay.publisher.health.error
    assert first < stretched(7.0)
    assert later < stretched(1.0)
    assert not Notification.objects.filter(rings__gt=0).exists()
    gateway.mend()
    wait_until(lambda: relay.tick() == 2, seconds=10)
    assert job.pk in queues.task_ids("notify")
    assert queues.task_ids("media") == [image.pk]


# ── Running notifications directly ──────────────────────────────────────────────────────────
def done() -> int:
    return Notification.objects.filter(status=Status.DONE).count()


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    ids: list[UUID] = []

    def perform(handler: NotificationHandler, job: Notification) -> dict[str, Any]:
        ids.append(job.pk)
        return {}

    monkeypatch.setattr(NotificationHandler, "perform", perform)
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    return ids


def test_a_relay_without_broker_is_patient_then_runs_notifications_and_media_waits(
    relays: Callable[..., Relay],
    dead_port: int,
    performed: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = [notification() for _ in range(20)]
    image = picture()
    relay = relays(f"redis://127.0.0.1:{dead_port}/0")
    now = 100.0
    relay.publisher.health = BrokerHealth(_clock=lambda: now)
    relay.tick()
    now += 9.9
    relay.tick()
    assert performed == []

    now += 0.2
    wait_until(lambda: relay.tick() + len(performed) >= len(jobs), seconds=10)

    wait_until(lambda: done() == len(jobs), seconds=10)
    assert sorted(performed) == sorted(job.pk for job in jobs)
    image.refresh_from_db()
    assert (image.status, image.rings) == (Status.QUEUED, 0)


def test_a_relay_takes_no_more_jobs_than_its_threads_can_run(
    relays: Callable[..., Relay], dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def wait(handler: NotificationHandler, job: Notification) -> dict[str, Any]:
        assert gate.wait(10)
        return {}

    monkeypatch.setattr(NotificationHandler, "perform", wait)
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    for _ in range(20):
        notification()
    relay = relays(f"redis://127.0.0.1:{dead_port}/0")
    relay.publisher.health.failing_since = -1000.0

    handled = [relay.tick() for _ in range(3)]

    gate.set()
    wait_until(lambda: done() == 2 * module.DIRECT_THREADS, seconds=10)
    relay.close()
    assert handled == [2 * module.DIRECT_THREADS, 0, 0]
    assert done() == 2 * module.DIRECT_THREADS


def test_a_failing_job_does_not_stop_the_direct_run(
    relays: Callable[..., Relay], dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(handler: NotificationHandler, job: Notification) -> dict[str, Any]:
        if job.recipient == "bad@example.org":
            raise ZeroDivisionError
        return {}

    monkeypatch.setattr(NotificationHandler, "perform", perform)
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    bad, good = notification(recipient="bad@example.org"), notification()
    relay = relays(f"redis://127.0.0.1:{dead_port}/0")
    relay.publisher.health.failing_since = -1000.0

    relay.tick()

    wait_until(lambda: done() == 1, seconds=10)
    relay.close()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.error) == (Status.QUEUED, "ZeroDivisionError: ")
    assert good.status == Status.DONE


def test_a_fault_behind_an_attempt_is_told_and_leaves_no_connection(
    relays: Callable[..., Relay],
    dead_port: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sessions: list[Any] = []

    def fail(handler: NotificationHandler, job_id: UUID) -> None:
        sessions.append(connection.connection)
        raise ZeroDivisionError

    monkeypatch.setattr(NotificationHandler, "perform", lambda handler, job: {})
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    monkeypatch.setattr(NotificationHandler, "after_attempt", fail)
    job = notification()
    relay = relays(f"redis://127.0.0.1:{dead_port}/0")
    relay.publisher.health.failing_since = -1000.0

    relay.tick()

    wait_until(lambda: bool(sessions), seconds=10)
    relay.close()
    assert f"Notification {job.pk} failed" in caplog.text
    assert [session.closed for session in sessions] == [True]
    job.refresh_from_db()
    assert job.status == Status.DONE


# ── What the relay says of the broker ───────────────────────────────────────────────────────
def test_the_heartbeat_says_whether_the_broker_is_well(
    relays: Callable[..., Relay], gateway: Gateway
) -> None:
    relay = relays(gateway.url)
    relay.tick()
    name = process_name("relay")
    assert Heartbeat.objects.get(name=name).detail == {
        "pid": os.getpid(),
        "broker": "ok",
        "ring_to_start": {},
    }

    gateway.cut()
    relay.next_heartbeat = 0.0
    relay.tick()

    assert "(for 0 s)" in Heartbeat.objects.get(name=name).detail["broker"]


def test_broker_health_tells_since_when_it_fails() -> None:
    now = 0.0
    health = BrokerHealth(_clock=lambda: now)
    assert (health.ok, health.down_for(), str(health)) == (True, 0.0, "ok")

    health.failed(OSError("refused"))
    now = 7.0
    health.failed(OSError("timed out"))
    assert (health.ok, health.down_for(), str(health)) == (False, 7.0, "timed out (for 7 s)")

    health.succeeded()
    assert (health.ok, health.down_for(), str(health)) == (True, 0.0, "ok")


def test_a_publisher_that_failed_connects_anew(gateway: Gateway) -> None:
    publisher = Publisher(application(gateway.url))
    assert publisher.queue_length("notify") == 0
    first = publisher.connection
    gateway.cut()
    with pytest.raises(BrokerDown):
        publisher.queue_length("notify")

    gateway.mend()

    assert publisher.queue_length("notify") == 0
    # Redis's client would mend the old one by itself, a channel to RabbitMQ would stay dead.
    assert publisher.connection is not first
    publisher.close()


# ── Sweeps ──────────────────────────────────────────────────────────────────────────────────
def test_sweeps_are_called_when_due_and_a_failing_one_stops_no_other(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def sweep(name: str, *, every: float, error: Exception | None = None) -> Sweep:
        def run() -> None:
            calls.append(name)
            if error is not None:
                raise error

        return Sweep(name=name, run=run, interval=every)

    monkeypatch.setattr(
        sweeps,
        "registered",
        [
            sweep("buggy", every=0.1, error=ZeroDivisionError()),
            sweep("without database", every=0.1, error=OperationalError()),
            sweep("often", every=0.1),
            sweep("once an hour", every=3600),
        ],
    )
    with running_relay(relays()):
        for name in ("often", "buggy", "without database"):
            wait_until(lambda name=name: calls.count(name) >= 3, seconds=10)

    assert calls.count("once an hour") == 1


def test_a_sweeps_last_result_is_kept_and_its_last_error(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, fixed = iter(range(1000)), threading.Event()

    def run() -> object:
        if next(calls) == 0:
            return 7
        if not fixed.is_set():
            raise ZeroDivisionError("by zero")
        return None

    monkeypatch.setattr(sweeps, "registered", [Sweep(name="count", run=run, interval=0.1)])
    row = SweepRow.objects.filter(name="count")
    with running_relay(relays()):
        wait_until(row.filter(error__gt="").exists, seconds=10)
        failed = row.get()
        fixed.set()
        wait_until(row.filter(error="").exists, seconds=10)

    assert (failed.result, failed.error) == ("7", "ZeroDivisionError: by zero")
    assert failed.done_at != failed.ran_at
    works = row.get()
    assert (works.result, works.error) == ("7", "")


def test_a_sweep_that_hangs_stops_no_other_and_is_late(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    release, calls = threading.Event(), []
    often = Sweep(name="often", run=lambda: calls.append(1), interval=0.1)
    hangs = Sweep(name="hangs", run=lambda: release.wait(30), interval=0.1)
    monkeypatch.setattr(sweeps, "registered", [hangs, often])
    SweepRow.objects.note_done("hangs", result=None, allow=timedelta())
    SweepRow.objects.note_done("often", result=None, allow=timedelta())

    with running_relay(relays()):
        wait_until(lambda: len(calls) >= 3, seconds=10)
        wait_until(lambda: SweepRow.objects.late().count() == 1, seconds=10)
        assert SweepRow.objects.late().get().name == "hangs"
        release.set()
        wait_until(lambda: not SweepRow.objects.late().exists(), seconds=10)


def test_a_sweep_waits_for_no_lock_for_long_and_says_so(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = picture()
    other = connection.copy()

    def run() -> None:
        MediaJob.objects.filter(pk=job.pk).update(progress=1)

    monkeypatch.setattr(sweeps, "registered", [Sweep(name="waits", run=run, interval=0.1)])
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM media_jobs_mediajob FOR UPDATE")
        with running_relay(relays()):
            wait_until(
                lambda: SweepRow.objects.filter(error__contains="lock timeout").exists(), seconds=20
            )
            cursor.execute("ROLLBACK")
            wait_until(lambda: SweepRow.objects.filter(error="").exists(), seconds=20)
    other.close()


def test_a_sweep_that_this_version_does_not_have_is_not_late(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "registered", [])
    SweepRow.objects.note_done("of another version", result=None, allow=timedelta())
    assert SweepRow.objects.late().exists()

    with running_relay(relays()):
        wait_until(lambda: not SweepRow.objects.late().exists(), seconds=10)


def test_a_table_of_jobs_that_somebody_has_locked_stops_no_other_jobs(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "registered", [])
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE media_jobs_mediajob")
        with running_relay(relays()):
            notification()
            wait_until(lambda: queues.length("notify") == 1, seconds=30)
            wait_until(Heartbeat.objects.exists, seconds=10)
            cursor.execute("ROLLBACK")
    other.close()


def test_a_hopeless_job_that_somebody_has_locked_is_buried_later() -> None:
    token = {"token": uuid4(), "lease_until": Now() - HOUR}
    jobs = [notification(status=Status.RUNNING, lost=2, **token) for _number in range(2)]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT FROM notifications_notification WHERE id = %s FOR UPDATE", [jobs[0].pk]
        )
        assert bury(Notification) == 1
        cursor.execute("ROLLBACK")
    other.close()

    assert bury(Notification) == 1


@pytest.mark.parametrize("state", ["42P01", "25P03", "57P01"])
def test_a_sweep_notes_its_error_and_goes_on_whatever_the_database_says(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    calls: list[str] = []

    def run() -> None:
        calls.append(state)
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")

    monkeypatch.setattr(sweeps, "registered", [Sweep(name="broken", run=run, interval=0.1)])
    with running_relay(relays()):
        wait_until(lambda: len(calls) >= 3, seconds=10)

    assert SweepRow.objects.filter(error__gt="").exists()


def test_a_long_sweep_does_not_hold_up_the_bell(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept, release = threading.Event(), threading.Event()

    def run() -> None:
        swept.set()
        release.wait(10)

    monkeypatch.setattr(sweeps, "registered", [Sweep(name="long", run=run, interval=60)])
    with running_relay(relays()):
        assert swept.wait(5)
        notification()
        wait_until(lambda: queues.length("notify") == 1, seconds=30)
        release.set()


# ── The database, and the end ───────────────────────────────────────────────────────────────
def test_a_lost_database_is_waited_for(
    relays: Callable[..., Relay], queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "registered", [])
    with running_relay(relays()):
        notification()
        wait_until(lambda: queues.length("notify") == 1, seconds=30)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND usename = current_user"  # not PostgreSQL's own, such as autovacuum's
            )
        notification()
        wait_until(lambda: queues.length("notify") == 2, seconds=10)


def test_a_fault_in_the_relay_ends_its_process_with_all_threads(
    relays: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relays()
    monkeypatch.setattr(sweeps, "registered", [])
    monkeypatch.setattr(relay, "tick", lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        relay.run()

    assert not any(thread.name.startswith("sweep") for thread in threading.enumerate())


@contextmanager
def relay_process() -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py relay` on the test's database."""
    server, database = (
        os.environ["DATABASE_URL"].rpartition("/")[0],
        connection.settings_dict["NAME"],
    )
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "relay"],
        env={**os.environ, "DATABASE_URL": f"{server}/{database}"},
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def test_sigterm_ends_the_command_soon(queues: Queues) -> None:
    job = notification()
    with relay_process() as process:
        wait_until(lambda: queues.task_ids("notify") == [job.pk], seconds=20)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)

    assert time.monotonic() - started < stretched(8.0)
    assert process.returncode == 0, errors


def test_a_killed_relay_of_two_is_seen_and_one_that_stops_leaves_nothing() -> None:
    def names() -> set[str]:
        return set(Heartbeat.objects.values_list("name", flat=True))

    def name(process: subprocess.Popen[bytes]) -> str:
        return f"relay@{socket.gethostname()}:{process.pid}"

    with relay_process() as stays, relay_process() as dies, relay_process() as stops:
        wait_until(lambda: names() == {name(stays), name(dies), name(stops)}, seconds=stretched(30))
        stops.send_signal(signal.SIGTERM)
        dies.kill()
        wait_until(lambda: names() == {name(stays), name(dies)}, seconds=stretched(30))
        Heartbeat.objects.filter(name=name(dies)).update(seen_at=Now() - HOUR / 2)

        health = read_health()
        assert health.checks["relay"] == "ok"
        assert health.notes["relay"] == f"1 of 2: {name(dies)} not seen for 1800 s"

        dies.wait()  # as a supervisor does before it starts the next one
        with relay_process() as replaces:
            wait_until(lambda: names() == {name(stays), name(replaces)}, seconds=stretched(30))

"""Beat: its schedule, its sign of life, and what it survives."""

import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.apps import apps
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import ModelEntry

from project.celery import app
from project.models import Heartbeat, process_name
from project.schedule.beat import HEARTBEAT_INTERVAL, HeartbeatScheduler, OwnColumnsEntry
from tests.live import wait_until
from tests.project.gateway import Gateway, gateway_to

NAME = process_name("beat")
BROKER = os.environ["CELERY_BROKER_URL"]
on_real_transactions = pytest.mark.django_db(
    transaction=True, available_apps=["project", "django_celery_beat"]
)


@pytest.fixture
def every_second(transactional_db: None) -> PeriodicTask:
    """One task that is due at once, and every second from then on."""
    interval = IntervalSchedule.objects.create(every=1, period="seconds")
    return PeriodicTask.objects.create(
        name="Often", task="project.tasks.audit", interval=interval, queue="beat-test"
    )


@pytest.fixture
def published() -> Iterator[Callable[[], int]]:
    """Call it for the number of messages that beat has published."""
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        client.delete("beat-test")
        yield lambda: client.llen("beat-test")
        client.delete("beat-test")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateway_to(BROKER) as between:
        yield between


@pytest.fixture
def scheduler(gateway: Gateway) -> Iterator[Callable[[], HeartbeatScheduler]]:
    """Call it for a scheduler whose way to the broker leads through the gateway."""
    made: list[HeartbeatScheduler] = []

    def make() -> HeartbeatScheduler:
        other = Celery("other", set_as_current=False)
        other.config_from_object("django.conf:settings", namespace="CELERY")
        other.conf.broker_write_url = gateway.url
        made.append(HeartbeatScheduler(app=other))
        made[-1].max_interval = 5
        return made[-1]

    yield make
    for one in made:
        one._finalize.cancel()
        one.connection.collect()


def tick_until(beat: HeartbeatScheduler, condition: Callable[[], bool]) -> None:
    """Tick as beat does, but without its pauses: the task is due every second."""

    def tick() -> bool:
        beat.tick()
        return condition()

    wait_until(tick, seconds=10)


@pytest.mark.django_db
def test_migrating_creates_the_schedule_once_and_keeps_the_operators_changes() -> None:
    migration = importlib.import_module("project.migrations.0002_schedule")
    app.loader.import_default_modules()  # as a worker does
    PeriodicTask.objects.all().delete()
    migration.create_schedule(apps, None)
    PeriodicTask.objects.filter(name="Audit").update(enabled=False)

    migration.create_schedule(apps, None)

    tasks = {task.name: task for task in PeriodicTask.objects.all()}
    assert tasks.keys() == {"Audit", "Prune"}
    assert (tasks["Audit"].interval.every, tasks["Audit"].interval.period) == (5, "minutes")
    assert (tasks["Prune"].crontab.hour, tasks["Prune"].crontab.minute) == ("3", "30")
    assert not tasks["Audit"].enabled
    for task in tasks.values():
        assert task.task in app.tasks
        assert task.queue == "default"


@on_real_transactions
def test_celery_does_not_schedule_a_cleanup_of_its_own(
    scheduler: Callable[[], HeartbeatScheduler], transactional_db: None
) -> None:
    scheduler()

    assert not PeriodicTask.objects.filter(task="celery.backend_cleanup").exists()


@on_real_transactions
def test_what_is_due_is_published_and_a_heartbeat_left(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
) -> None:
    beat = scheduler()

    tick_until(beat, lambda: published() == 1)

    assert 0 <= beat.tick() <= HEARTBEAT_INTERVAL
    assert Heartbeat.objects.get(name=NAME).detail == {"pid": os.getpid()}


@on_real_transactions
def test_the_schedule_knows_of_each_run_at_once(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
) -> None:
    beat = scheduler()
    tick_until(beat, lambda: published() == 1)
    every_second.refresh_from_db()
    first = every_second.last_run_at

    tick_until(beat, lambda: published() == 2)

    every_second.refresh_from_db()
    assert first < every_second.last_run_at


@on_real_transactions
def test_what_is_due_is_published_without_the_result_backend(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
) -> None:
    beat = scheduler()
    beat.app.conf.result_backend = "redis://127.0.0.1:1/0"  # nobody listens there

    tick_until(beat, lambda: published() == 1)

    with pytest.raises(RuntimeError, match="result store"):  # control: Celery's own way
        beat.app.send_task("project.tasks.audit", queue="beat-test")


@on_real_transactions
def test_heartbeats_come_every_few_seconds_not_with_every_tick(
    scheduler: Callable[[], HeartbeatScheduler], transactional_db: None
) -> None:
    beat = scheduler()
    assert beat.tick() <= HEARTBEAT_INTERVAL
    Heartbeat.objects.all().delete()

    beat.tick()
    assert not Heartbeat.objects.exists()

    beat.next_heartbeat = 0.0
    beat.tick()
    assert Heartbeat.objects.exists()


@on_real_transactions
def test_a_lost_database_is_outlived(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beat = scheduler()
    tick_until(beat, lambda: published() == 1)

    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("connection refused")

    with monkeypatch.context() as without_database:
        connection.close()
        without_database.setattr(connection, "connect", away)
        beat.next_heartbeat = 0.0
        assert beat.tick() == HEARTBEAT_INTERVAL
        assert beat.tick() <= HEARTBEAT_INTERVAL

    Heartbeat.objects.all().delete()
    beat.next_heartbeat = 0.0
    tick_until(beat, lambda: published() == 2)
    assert Heartbeat.objects.filter(name=NAME).exists()


@on_real_transactions
def test_a_cut_database_connection_is_replaced(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
) -> None:
    beat = scheduler()
    tick_until(beat, lambda: published() == 1)
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.db.close()

    tick_until(beat, lambda: published() == 2)


@on_real_transactions
def test_a_lost_broker_stops_no_heartbeat_and_is_used_again_when_it_is_back(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
    gateway: Gateway,
) -> None:
    gateway.cut()
    beat = scheduler()

    for _ in range(3):
        assert beat.tick() <= HEARTBEAT_INTERVAL

    assert published() == 0
    assert Heartbeat.objects.filter(name=NAME).exists()
    gateway.mend()
    tick_until(beat, lambda: published() > 0)


@on_real_transactions
def test_a_broker_that_was_lost_in_between_is_used_again(
    every_second: PeriodicTask,
    scheduler: Callable[[], HeartbeatScheduler],
    published: Callable[[], int],
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beat = scheduler()
    tick_until(beat, lambda: published() == 1)

    gateway.cut()
    tick_until(beat, lambda: "Couldn't apply scheduled task Often" in caplog.text)
    assert published() == 1
    gateway.mend()

    tick_until(beat, lambda: published() > 1)


# ── Its own columns ─────────────────────────────────────────────────────────────────────────────
@contextmanager
def edited_before_beat_writes(task: PeriodicTask, **edits: Any) -> Iterator[None]:
    """Let an operator's edit come between beat's reading of the row and its writing."""
    is_edited = False

    def edit_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal is_edited
        if not is_edited and sql.startswith('UPDATE "django_celery_beat_periodictask"'):
            is_edited = True
            edit = {"date_changed": timezone.now(), **edits}
            PeriodicTask.objects.filter(pk=task.pk).update(**edit)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(edit_first):
        yield
    assert is_edited


def hourly(**fields: Any) -> PeriodicTask:
    interval = IntervalSchedule.objects.create(every=1, period="hours")
    return PeriodicTask.objects.create(
        name="Hourly", task="project.tasks.audit", interval=interval, **fields
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entry_class", "kept"),
    [
        pytest.param(OwnColumnsEntry, True, id="own columns"),
        pytest.param(ModelEntry, False, id="control: every column"),
    ],
)
def test_an_edit_while_beat_writes_a_run_is_kept(entry_class: type[ModelEntry], kept: bool) -> None:
    task = hourly()
    entry = next(entry_class(task, app=app))

    with edited_before_beat_writes(task, description="edited", queue="other"):
        entry.save()

    task.refresh_from_db()
    assert ((task.description, task.queue) == ("edited", "other")) is kept
    assert task.total_run_count == 1
    assert task.last_run_at


@pytest.mark.django_db
def test_a_run_of_an_entry_that_was_switched_off_meanwhile_is_not_written() -> None:
    entry = next(OwnColumnsEntry(hourly(), app=app))
    PeriodicTask.objects.update(enabled=False, last_run_at=None)

    entry.save()

    assert PeriodicTask.objects.get(name="Hourly").last_run_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entry_class", "kept"),
    [
        pytest.param(OwnColumnsEntry, True, id="own columns"),
        pytest.param(ModelEntry, False, id="control: every column"),
    ],
)
@pytest.mark.parametrize(
    "over",
    [
        {"one_off": True, "total_run_count": 1},
        {"expires": timezone.now() - timedelta(hours=1)},
    ],
    ids=["once", "expired"],
)
def test_an_edit_while_beat_switches_an_entry_off_is_kept(
    over: dict[str, Any], entry_class: type[ModelEntry], kept: bool
) -> None:
    task = hourly(**over)
    entry = entry_class(task, app=app)

    with edited_before_beat_writes(task, expires=None, one_off=False, description="edited"):
        entry.is_due()

    task.refresh_from_db()
    assert ((task.description, task.enabled) == ("edited", True)) is kept


@pytest.mark.django_db
def test_an_entry_that_was_to_run_once_is_switched_off_after_its_run() -> None:
    task = hourly(one_off=True, total_run_count=1)
    before = PeriodicTasks.last_change()

    assert not OwnColumnsEntry(task, app=app).is_due().is_due

    task.refresh_from_db()
    assert (task.enabled, task.total_run_count, task.last_run_at) == (False, 0, None)
    assert PeriodicTasks.last_change() > before


@pytest.mark.django_db
def test_an_expired_entry_is_switched_off() -> None:
    task = hourly(expires=timezone.now() - timedelta(hours=1))

    assert not OwnColumnsEntry(task, app=app).is_due().is_due

    task.refresh_from_db()
    assert not task.enabled

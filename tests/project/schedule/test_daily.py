"""Daily work: once per day of the shop, whatever its clocks, beats and processes do."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connection, connections
from django.db.models import UniqueConstraint
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.tzcrontab import TzAwareCrontab
from psycopg.errors import LockNotAvailable

from project.celery import app
from project.database import timeouts
from project.database.timeouts import Bounds
from project.local.env import ROOT
from project.models import DailyRun, Heartbeat
from project.monitoring.health import read_health
from project.schedule import daily as module
from project.schedule.beat import HeartbeatScheduler
from project.schedule.daily import DailyWork, do_all_due, do_due, due_days, skip_due
from tests.database import this_database
from tests.live import wait_until

on_real_transactions = pytest.mark.django_db(
    transaction=True,
    databases=["default", "writer"],
    available_apps=["project", "django_celery_beat"],
)

BERLIN = ZoneInfo("Europe/Berlin")
NAME = "tests.report"


class Diary:
    """Daily work that writes down for which days it was done."""

    def __init__(self) -> None:
        self.days: list[str] = []
        self.stops: Callable[[date], object] = lambda day: None

    def __call__(self, day: date) -> dict[str, int]:
        self.stops(day)
        self.days.append(str(day))
        return {"entries": len(self.days)}


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    """The only daily work there is; missed days of a week are made up for."""
    app.loader.import_default_modules()  # before: what is imported below is registered nowhere
    diary = Diary()
    monkeypatch.setattr(module, "works", {NAME: DailyWork(NAME, diary, catch_up=7)})
    return diary


@pytest.fixture
def schedule(settings: Any) -> Callable[..., PeriodicTask]:
    """Call it to put the work into beat's tables, at an hour of a shop in Berlin."""
    settings.TIME_ZONE = "Europe/Berlin"

    def at(hour: str, minute: str = "30", **changes: Any) -> PeriodicTask:
        crontab = CrontabSchedule.objects.create(hour=hour, minute=minute, timezone=BERLIN)
        return PeriodicTask.objects.create(name="Report", task=NAME, crontab=crontab, **changes)

    return at


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Call it with Berlin's time to let the database have that time, and look for work."""

    def look(clock: str) -> dict[str, Any]:
        now = datetime.fromisoformat(clock)
        now = now if now.tzinfo else now.replace(tzinfo=BERLIN)
        monkeypatch.setattr(module, "database_now", lambda: now)
        return do_due(NAME)

    return look


# ── Which days are due ──────────────────────────────────────────────────────────────────────
def days(now: str, *, catch_up: int = 0, since: str = "", **crontab: str) -> list[str]:
    schedule = TzAwareCrontab(**{"hour": "3", "minute": "30"} | crontab, tz=BERLIN)
    due = due_days(
        schedule,
        now=datetime.fromisoformat(now).replace(tzinfo=BERLIN),
        zone=BERLIN,
        catch_up=catch_up,
        since=date.fromisoformat(since) if since else None,
    )
    return [str(day) for day in due]


def test_a_day_is_due_from_its_moment_on_and_until_the_next_one() -> None:
    assert days("2026-11-23 03:29:59") == ["2026-11-22"]
    assert days("2026-11-23 03:30:00") == ["2026-11-23"]
    assert days("2026-11-23 23:59:59") == ["2026-11-23"]


def test_missed_days_are_due_as_far_as_the_work_looks_back_and_the_record_goes() -> None:
    now = "2026-11-23 12:00"

    assert days(now, catch_up=2, since="2026-01-01") == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert days(now, catch_up=2, since="2026-11-22") == ["2026-11-22", "2026-11-23"]
    assert days(now, catch_up=2) == ["2026-11-23"]


def test_an_operator_may_leave_days_out() -> None:
    # Mondays: the 23rd is one.
    assert days("2026-11-24 12:00", day_of_week="1") == ["2026-11-23"]
    assert days("2026-11-24 12:00", day_of_month="24") == ["2026-11-24"]
    assert days("2026-11-24 12:00", month_of_year="2") == []


def test_where_the_clocks_skip_the_moment_the_day_is_due_right_after_the_jump() -> None:
    # On 29 March 2026 it's 03:00 right after 01:59:59 in Berlin.
    assert days("2026-03-29 01:59:59", hour="2") == ["2026-03-28"]
    assert days("2026-03-29 03:30:00", hour="2") == ["2026-03-29"]


# ── Once per day ────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db(databases=["default", "writer"])
def test_a_days_work_is_done_at_the_first_look_after_its_moment_and_no_second_time(
    diary: Diary, schedule: Any, at: Any
) -> None:
    schedule("3")

    assert at("2026-11-23 03:31") == {"2026-11-23": {"entries": 1}}
    assert at("2026-11-23 03:36") == {}
    assert at("2026-11-24 03:31") == {"2026-11-24": {"entries": 2}}

    run = DailyRun.objects.get(day="2026-11-24")
    assert (run.result, run.attempts, run.error) == ({"entries": 2}, 1, "")
    assert run.finished_at


@pytest.mark.django_db(databases=["default", "writer"])
@pytest.mark.parametrize("night", ["2026-03-28T22:00+00:00", "2026-10-24T22:00+00:00"])
def test_a_look_every_ten_minutes_of_a_night_when_the_clocks_change_does_it_once(
    diary: Diary, schedule: Any, at: Any, night: str
) -> None:
    schedule("2")  # skipped in March, shown twice in October
    start = datetime.fromisoformat(night)

    for minutes in range(0, 26 * 60, 10):
        at((start + timedelta(minutes=minutes)).isoformat())

    sunday = (start + timedelta(hours=12)).date()
    assert diary.days == [str(sunday - timedelta(days=1)), str(sunday)]


@pytest.mark.django_db(databases=["default", "writer"])
def test_missed_days_are_made_up_for_each_on_its_own(diary: Diary, schedule: Any, at: Any) -> None:
    schedule("3")
    at("2026-11-19 04:00")

    at("2026-11-22 07:30")  # beat was dead for three nights

    assert diary.days == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]


@pytest.mark.django_db(databases=["default", "writer"])
def test_a_restored_shop_goes_on_with_the_next_day(
    diary: Diary, schedule: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("3")
    at("2026-11-20 04:00")
    restored = datetime(2026, 11, 23, 4, tzinfo=BERLIN)
    monkeypatch.setattr(module, "database_now", lambda: restored)

    skip_due()

    assert at("2026-11-23 04:05") == {}
    assert [*at("2026-11-24 04:00")] == ["2026-11-24"]
    assert diary.days == ["2026-11-20", "2026-11-24"]


@pytest.mark.django_db(databases=["default", "writer"])
def test_work_that_is_turned_off_is_not_done(diary: Diary, schedule: Any, at: Any) -> None:
    schedule("3", enabled=False)

    assert at("2026-11-23 12:00") == {}
    assert diary.days == []


@pytest.mark.django_db(databases=["default", "writer"])
def test_without_an_hour_a_day_is_due_at_midnight(diary: Diary, settings: Any, at: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="Report", task=NAME, interval=hourly)

    at("2026-11-23 00:05")
    at("2026-11-23 01:05")

    assert diary.days == ["2026-11-23"]


@pytest.mark.django_db(databases=["default", "writer"])
def test_what_fails_keeps_its_reason_and_is_tried_again(
    diary: Diary, schedule: Any, at: Any
) -> None:
    schedule("3")

    def fail(day: date) -> None:
        raise ValueError("no figures")

    diary.stops = fail
    assert at("2026-11-23 03:31") == {"2026-11-23": {"error": "no figures"}}
    assert DailyRun.objects.get().error == "ValueError: no figures"
    diary.stops = lambda day: None
    at("2026-11-23 03:36")

    run = DailyRun.objects.get()
    assert (diary.days, run.attempts, run.error) == (["2026-11-23"], 2, "")


@pytest.mark.django_db(databases=["default", "writer"])
def test_what_was_killed_in_the_middle_is_done_again(diary: Diary, schedule: Any, at: Any) -> None:
    schedule("3")

    def die(day: date) -> None:
        raise SystemExit  # no `except Exception` sees it, as none sees a SIGKILL

    diary.stops = die
    with pytest.raises(SystemExit):
        at("2026-11-23 03:31")
    assert DailyRun.objects.get().finished_at is None
    diary.stops = lambda day: None

    at("2026-11-23 03:36")

    assert diary.days == ["2026-11-23"]


@pytest.mark.django_db(databases=["default", "writer"])
def test_work_that_kills_its_process_each_time_is_failing(
    diary: Diary, schedule: Any, at: Any
) -> None:
    schedule("3")

    def die(day: date) -> None:
        raise SystemExit

    diary.stops = die
    said = []
    for minute in ("31", "36", "41"):
        with pytest.raises(SystemExit):
            at(f"2026-11-23 03:{minute}")
        said.append(DailyRun.objects.failing().exists())
    diary.stops = lambda day: None
    at("2026-11-23 03:46")

    # A worker that is restarted once, for a new release, is no trouble.
    assert said == [False, False, True]
    assert DailyRun.objects.get().error == ""


@pytest.mark.django_db(databases=["default", "writer"])
def test_a_host_whose_clock_is_an_hour_off_changes_nothing(diary: Diary, schedule: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() AT TIME ZONE 'Europe/Berlin' + interval '30 min'")
        soon = cursor.fetchone()[0]
    schedule(str(soon.hour), str(soon.minute))
    today = str(soon.date())

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        do_due(NAME)

    assert today not in diary.days  # its host says that it's due, the database knows better


@pytest.mark.django_db(databases=["default", "writer"])
def test_the_catching_up_task_does_whatever_is_due(diary: Diary, schedule: Any, at: Any) -> None:
    schedule("0", "0")

    done = do_all_due()

    assert list(done) == [NAME]
    assert len(diary.days) == 1


def test_pruning_is_daily_work_of_a_registered_task() -> None:
    app.loader.import_default_modules()

    assert module.is_daily("project.tasks.prune")
    assert {"project.tasks.prune", "project.tasks.catch_up"} <= app.tasks.keys()


# ── Several at once ─────────────────────────────────────────────────────────────────────────
def look_at_once(diary: Diary, *, clients: int = 4) -> None:
    """Look for work from several connections, whose works would overlap."""
    together = threading.Barrier(clients)

    def look() -> None:
        together.wait(10)
        try:
            do_due(NAME)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(clients) as pool:
        for outcome in [pool.submit(look) for _ in range(clients)]:
            outcome.result(30)


@on_real_transactions
def test_looks_at_once_do_it_once(diary: Diary, schedule: Any) -> None:
    schedule("0", "0")
    slowly = threading.Event()
    diary.stops = lambda day: slowly.wait(0.1)

    for _round in range(20):
        DailyRun.objects.all().delete()
        look_at_once(diary)

    assert len(diary.days) == 20


@on_real_transactions
def test_control_without_being_alone_looks_at_once_do_it_again(
    diary: Diary, schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("0", "0")
    slowly = threading.Event()
    diary.stops = lambda day: slowly.wait(0.1)

    @contextmanager
    def not_alone(*key: object, using: str) -> Iterator[bool]:
        yield True

    monkeypatch.setattr(module, "try_lock", not_alone)
    look_at_once(diary)

    assert len(diary.days) > 1


@on_real_transactions
def test_control_without_its_record_each_look_does_it(
    diary: Diary, schedule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("0", "0")
    monkeypatch.setattr(DailyRun.objects, "done", lambda name, days: set())

    look_at_once(diary, clients=1)
    look_at_once(diary, clients=1)

    assert len(diary.days) == 2


# ── Beside a locked table ───────────────────────────────────────────────────────────────────
@pytest.fixture
def blocked(diary: Diary, schedule: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of work that changes a table, and comes before the diary."""

    def touch(day: date) -> dict[str, int]:
        return {"heartbeats": Heartbeat.objects.update(detail={})}

    name = "tests.touch"
    first = {name: DailyWork(name, touch, catch_up=0)}
    monkeypatch.setattr(module, "works", first | module.works)
    report = schedule("0", "0")
    PeriodicTask.objects.create(name="Touch", task=name, crontab=report.crontab)
    Heartbeat.objects.beat("media@host")
    return name


@contextmanager
def locked_table() -> Iterator[None]:
    """A transaction that somebody left open."""
    with psycopg.connect(this_database()) as session:
        session.execute("LOCK TABLE project_heartbeat IN ACCESS EXCLUSIVE MODE")
        yield
        session.rollback()


def catch_up(bounds: Bounds | None) -> dict[str, Any]:
    """Do all that is due, with a connection as a worker has it."""
    try:
        if bounds:
            timeouts.bound_session(bounds)
        return do_all_due()
    finally:
        connections.close_all()


@on_real_transactions
def test_work_that_waits_for_a_locked_table_gives_up_and_the_next_is_done(
    diary: Diary, blocked: str
) -> None:
    quick = replace(timeouts.WORKER, lock="500ms")
    with locked_table(), ThreadPoolExecutor(1) as pool:
        results = pool.submit(catch_up, quick).result(30)

    assert "lock timeout" in next(iter(results[blocked].values()))["error"]
    assert len(diary.days) == 1
    assert "lock timeout" in DailyRun.objects.get(name=blocked).error
    assert read_health().checks["daily"] == f"failing: {blocked}"

    assert blocked in catch_up(quick)

    assert DailyRun.objects.get(name=blocked).error == ""
    assert read_health().checks["daily"] == "ok"


@on_real_transactions
def test_control_without_bounds_it_holds_up_all_that_comes_after_it(
    diary: Diary, blocked: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with locked_table():
            done = pool.submit(catch_up, None)
            with pytest.raises(TimeoutError):
                done.result(3)
            assert diary.days == []
        done.result(30)


@on_real_transactions
def test_what_goes_wrong_before_the_work_holds_up_no_other(
    diary: Diary, blocked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(name: str) -> dict[str, Any]:
        if name == blocked:
            raise OperationalError(
                "canceling statement due to lock timeout"
            ) from LockNotAvailable()
        return do_due(name)

    monkeypatch.setattr(module, "do_due", look)

    assert do_all_due()[blocked] == {"error": "canceling statement due to lock timeout"}
    assert len(diary.days) == 1


def test_a_day_has_one_run_by_constraint() -> None:
    constraint = next(c for c in DailyRun._meta.constraints if c.name == "daily_run_once_per_day")

    assert isinstance(constraint, UniqueConstraint)
    assert constraint.fields == ("name", "day")


# ── Beats ───────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def published() -> Iterator[Callable[[], int]]:
    """Call it for the number of messages that beats have published."""
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        client.delete("daily-test")
        yield lambda: client.llen("daily-test")
        client.delete("daily-test")


@contextmanager
def running_beat() -> Iterator[None]:
    """A beat process on the test's database and broker."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    beat = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "project", "beat", "--pidfile="],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        beat.kill()
        beat.wait(30)


@on_real_transactions
def test_two_beats_ring_twice_and_the_work_is_done_once(
    diary: Diary, schedule: Any, published: Callable[[], int]
) -> None:
    often = IntervalSchedule.objects.create(every=1, period="seconds")
    schedule("0", "0", enabled=True)
    PeriodicTask.objects.create(name="Often", task=NAME, interval=often, queue="daily-test")
    with running_beat(), running_beat():
        wait_until(lambda: published() >= 6, seconds=60, what="messages of two beats")

    for _message in range(published()):  # what the worker does with each of them
        do_due(NAME)

    assert len(diary.days) == 1
    assert DailyRun.objects.get().attempts == 1


@on_real_transactions
def test_a_beat_that_was_dead_for_four_hours_rings_at_once(
    schedule: Any, published: Callable[[], int]
) -> None:
    now = datetime.now(BERLIN)
    due = now - timedelta(hours=2)
    schedule(
        str(due.hour), str(due.minute), queue="daily-test", last_run_at=now - timedelta(hours=26)
    )
    beat = HeartbeatScheduler(app=app)

    beat.tick()
    beat.tick()

    assert published() == 1

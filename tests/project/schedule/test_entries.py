"""The schedule for people: in words, when next, moved, and run now without a broker."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from project.jobs.errors import PermanentError
from project.jobs.run import run_job
from project.models import DailyRun, ManualRun
from project.names import in_words
from project.schedule import daily
from project.schedule.daily import DailyWork
from project.schedule.entries import DESCRIPTIONS, is_off, next_run, when
from project.schedule.manual_runs import ask_to_run
from tests.pages import open_page

pytestmark = pytest.mark.django_db(databases=["default", "writer"])


def entry(task: str = "project.tasks.audit", **fields: Any) -> PeriodicTask:
    """Return an entry; its schedule is a dict of a crontab, or of an interval with `every`."""
    schedule = fields.pop("schedule", {"every": 5, "period": "minutes"})
    if "every" in schedule:
        fields["interval"] = IntervalSchedule.objects.create(**schedule)
    else:
        zone = schedule.pop("timezone", "UTC")
        fields["crontab"] = CrontabSchedule.objects.create(timezone=zone, **schedule)
    return PeriodicTask.objects.create(name=f"Entry {uuid4()}", task=task, **fields)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"every": 1, "period": "minutes"}, "every minute"),
        ({"every": 5, "period": "minutes"}, "every 5 minutes"),
        ({"minute": "0", "hour": "6"}, "every day at 06:00"),
        ({"minute": "*/15"}, "every 15 minutes"),
        ({"minute": "5"}, "every hour at minute 5"),
        ({"minute": "30", "hour": "7", "day_of_week": "0,1"}, "Monday, Sunday at 07:30"),
        ({"minute": "0", "hour": "6", "day_of_month": "1"}, "on day 1 of the month at 06:00"),
        (
            {"minute": "0", "hour": "6", "timezone": "Asia/Shanghai"},
            "every day at 06:00 (Asia/Shanghai)",
        ),
        (
            {"minute": "0", "hour": "6", "month_of_year": "2"},
            "0 6 * 2 * (m/h/dM/MY/d) UTC",
        ),
    ],
)
def test_a_schedule_is_put_into_words(schedule: dict[str, Any], words: str) -> None:
    assert when(entry(schedule=schedule)) == words


def test_weekdays_are_in_the_pages_language() -> None:
    with translation.override("zh-hans"):
        assert "星期一" in when(entry(schedule={"minute": "0", "hour": "6", "day_of_week": "1"}))


def test_the_next_run_is_the_next_moment_of_the_crontab() -> None:
    task = entry(schedule={"minute": "0", "hour": "6"})
    now = timezone.now()

    due = next_run(task, now=now)

    assert due is not None
    assert now < due
    assert (due.hour, due.minute) == (6, 0)
    assert next_run(entry(enabled=False), now=now) is None


def test_the_next_run_of_an_interval_follows_its_last_and_is_never_over() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    task = entry()

    task.last_run_at = datetime(2026, 11, 23, 11, 58, tzinfo=UTC)
    assert next_run(task, now=now) == datetime(2026, 11, 23, 12, 3, tzinfo=UTC)
    task.last_run_at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert next_run(task, now=now) == now


def test_a_task_is_off_once_all_its_entries_are() -> None:
    assert not is_off("tests.task")
    on, _off = entry("tests.task"), entry("tests.task", enabled=False)
    assert not is_off("tests.task")

    PeriodicTask.objects.filter(pk=on.pk).update(enabled=False)

    assert is_off("tests.task")


# ── Run now ─────────────────────────────────────────────────────────────────────────────────
def test_run_now_leaves_a_job_and_touches_no_broker(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = entry()

    def no_network(*args: Any, **options: Any) -> None:
        raise AssertionError("a web request called the broker")

    monkeypatch.setattr(socket, "create_connection", no_network)
    url = f"/admin/django_celery_beat/periodictask/{task.pk}/run/"
    first, second = admin_client.post(url), admin_client.post(url)

    run = ManualRun.objects.get()
    assert first.status_code == second.status_code == 302
    assert (run.periodic_task, run.status, run.queue) == (task.name, "queued", "default")


def test_what_was_asked_for_is_done_and_its_result_is_kept() -> None:
    asked = ask_to_run(entry("orders.tasks.low_stock"), user_id=None)

    result = run_job(ManualRun, asked.pk)

    asked.refresh_from_db()
    assert (asked.status, asked.result) == ("done", result)
    assert result == {"fell": 0}


def test_daily_work_is_done_for_today_though_it_was_done_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days: list[Any] = []
    monkeypatch.setitem(daily.works, "tests.diary", DailyWork("tests.diary", days.append, 0))
    task = entry("project.tasks.audit", schedule={"minute": "0", "hour": "0"})
    PeriodicTask.objects.filter(pk=task.pk).update(task="tests.diary")
    monkeypatch.setattr("project.schedule.manual_runs.current_app.tasks", {"tests.diary": object()})

    run_job(ManualRun, ask_to_run(task, user_id=None).pk)
    run_job(ManualRun, ask_to_run(task, user_id=None).pk)

    assert len(days) == 2
    assert DailyRun.objects.get().attempts == 2


def test_what_fails_says_why_and_is_not_tried_again_by_itself() -> None:
    asked = ask_to_run(entry("tests.nothing"), user_id=None)

    with pytest.raises(PermanentError):
        run_job(ManualRun, asked.pk)

    asked.refresh_from_db()
    assert asked.status == "failed"
    assert "known task" in asked.error


# ── At the desk ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"fell": 2}, "fell: 2"),
        ({"clean": True, "drift": {}}, "clean: yes, drift: –"),
        ({"2026-11-27": {"orders": 0, "to": ["a", "b"]}}, "2026-11-27: orders: 0, to: a, b"),
        (None, "–"),
    ],
)
def test_a_result_is_put_into_words(result: object, words: str) -> None:
    assert in_words(result) == words


def test_an_entrys_time_is_moved_and_others_keep_theirs(admin_client: Client) -> None:
    task = entry(schedule={"minute": "0", "hour": "6"})
    other = PeriodicTask.objects.create(name="Other", task=task.task, crontab=task.crontab)
    url = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"

    answer = open_page(admin_client, url).send(at="07:45")

    assert answer.status_code == 302
    assert when(PeriodicTask.objects.get(pk=task.pk)) == "every day at 07:45"
    assert when(PeriodicTask.objects.get(pk=other.pk)) == "every day at 06:00"


def test_an_entrys_interval_is_changed(admin_client: Client) -> None:
    task = entry()
    url = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"

    open_page(admin_client, url).send(every="2", period="hours")

    assert when(PeriodicTask.objects.get(pk=task.pk)) == "every 2 hours"


@pytest.mark.parametrize("every", ["0", "100001", "9" * 30])
def test_an_interval_that_no_column_or_clock_can_keep_is_refused(
    every: str, admin_client: Client
) -> None:
    task = entry()
    before = when(task)
    url = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"

    answer = open_page(admin_client, url).send(every=every, period="days")

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {"every"}
    assert when(PeriodicTask.objects.get(pk=task.pk)) == before


def test_an_interval_of_the_table_is_bounded_too(admin_client: Client) -> None:
    url = "/admin/django_celery_beat/intervalschedule/add/"

    refused = admin_client.post(url, {"every": "2147483647", "period": "days"})
    taken = admin_client.post(url, {"every": "77", "period": "days"})

    assert (refused.status_code, taken.status_code) == (200, 302)
    assert IntervalSchedule.objects.filter(every__gte=77).count() == 1


def test_the_list_shows_words_and_asks_the_same_however_many_there_are(
    admin_client: Client,
) -> None:
    task = entry("orders.tasks.low_stock", schedule={"minute": "0", "hour": "6"})
    asked = ask_to_run(task, user_id=None)
    run_job(ManualRun, ask_to_run(task, user_id=None).pk)
    url = "/admin/django_celery_beat/periodictask/"

    with CaptureQueriesContext(connection) as few:
        text = admin_client.get(url).content.decode()
    for _number in range(10):
        entry()
    with CaptureQueriesContext(connection) as many:
        admin_client.get(url)

    assert "every day at 06:00" in text
    assert f"/admin/project/manualrun/{asked.pk}/change/" in text
    assert len(many) == len(few)


def test_the_shops_own_entries_are_switched_off_and_never_deleted(admin_client: Client) -> None:
    own = entry("orders.tasks.low_stock")
    audit = PeriodicTask.objects.get(name="Audit")
    address = "/admin/django_celery_beat/periodictask"
    chosen = {"action": "delete_selected", "_selected_action": [audit.pk, own.pk], "post": "yes"}

    answers = [
        admin_client.post(f"{address}/{task.pk}/delete/", {"post": "yes"}) for task in (audit, own)
    ]
    admin_client.post(f"{address}/", chosen)

    assert [answer.status_code for answer in answers] == [403, 302]
    assert PeriodicTask.objects.filter(name="Audit").exists()
    assert not PeriodicTask.objects.filter(pk=own.pk).exists()


def test_the_schedule_and_the_daily_runs_tell_the_same_last_run(admin_client: Client) -> None:
    task = entry("project.tasks.prune", schedule={"minute": "30", "hour": "3"})
    PeriodicTask.objects.exclude(pk=task.pk).delete()
    # Beat's tick came later, and found the day's work done.
    PeriodicTask.objects.update(last_run_at=datetime(2026, 11, 28, 14, 5, tzinfo=UTC))
    DailyRun.objects.create(
        name="project.tasks.prune",
        day=datetime(2026, 11, 28, tzinfo=UTC).date(),
        finished_at=datetime(2026, 11, 28, 9, 7, tzinfo=UTC),
        result={"sessions": 3},
    )

    schedule = admin_client.get("/admin/django_celery_beat/periodictask/").content.decode()
    daily_runs = admin_client.get("/admin/project/dailyrun/").content.decode()

    for page in (schedule, daily_runs):
        assert "2026-11-28 09:07" in page
        assert "sessions: 3" in page
        assert "2026-11-28 14:05" not in page


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_times_have_one_form_at_the_desk(admin_client: Client, language: str) -> None:
    moment = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
    run = DailyRun.objects.create(
        name="project.tasks.prune", day=moment.date(), finished_at=moment, result={}
    )
    admin_client.cookies["django_language"] = language

    for page in ("", f"{run.pk}/change/"):
        with translation.override("en"):  # the request leaves its language active
            answer = admin_client.get(f"/admin/project/dailyrun/{page}")
        assert "2026-11-28 14:05" in answer.content.decode()


def test_a_daily_run_that_goes_on_follows_itself(admin_client: Client) -> None:
    day = timezone.now().date()
    run = DailyRun.objects.create(name="project.tasks.prune", day=day)
    url = f"/admin/project/dailyrun/{run.pk}/change/"

    going_on = admin_client.get(url).content.decode()
    DailyRun.objects.update(finished_at=timezone.now(), result={})
    finished = admin_client.get(url).content.decode()

    assert 'hx-trigger="every 2s"' in going_on
    assert 'hx-trigger="every 2s"' not in finished


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Nov. 28, 2026, 2:05 p.m."), ("zh-hans", "2026年11月28日 14:05")],
)
def test_the_shop_shows_times_in_the_readers_form(language: str, words: str) -> None:
    moment = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
    page = Template("{% load reader_times %}{{ moment|reader_time }}")

    with translation.override(language):
        assert page.render(Context({"moment": moment})) == words


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False], ids=["", "control"])
def test_a_double_click_runs_it_once(is_locked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control only reads the entry where it is locked."""
    task, start, met = entry(), Barrier(2), Barrier(2)
    if not is_locked:
        execute = CursorWrapper.execute

        def read_only(self: CursorWrapper, sql: str, params: Any = None) -> Any:
            answer = execute(self, sql.replace(" FOR NO KEY UPDATE", ""), params)
            if "INSERT INTO" in sql or ("project_manualrun" in sql and "SELECT" in sql):
                met.wait(10)
            return answer

        monkeypatch.setattr(CursorWrapper, "execute", read_only)

    def click(_number: int) -> Any:
        start.wait(10)
        try:
            return ask_to_run(task, user_id=None).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        runs = set(pool.map(click, range(2)))

    assert len(runs) == (1 if is_locked else 2)


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_what_the_shops_entries_do_is_said_in_the_operators_language(
    description: str, admin_client: Client
) -> None:
    task = entry(description=description)
    admin_client.cookies["django_language"] = "zh-hans"

    page = admin_client.get(f"/admin/django_celery_beat/periodictask/{task.pk}/change/")

    with translation.override("zh-hans"):
        words = translation.gettext(description)
    assert words != description
    assert words in page.content.decode()


def test_the_migrations_entries_are_described_by_these_texts() -> None:
    """Each of them is in a migration, so a description that is changed there is missed here."""
    folders = [Path(apps.get_app_config(name).path) for name in ("project", "orders")]
    migrations = "".join(
        re.sub(r'"\s+"', "", path.read_text())
        for folder in folders
        for path in sorted((folder / "migrations").glob("*.py"))
    )

    assert [text for text in DESCRIPTIONS if text not in migrations] == []
    described = re.findall(r'"description": "([^"]+)"', migrations)
    assert set(described) - set(DESCRIPTIONS) == set()

"""The page of all jobs: its filters, decisions about all of them, queues, and the schedule."""

import importlib
import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from media_jobs.models import MediaJob
from notifications.events import EVENTS
from notifications.models import Notification
from orders.models import User
from project.desk.audit_log import told
from project.jobs.queryset import Status
from project.models import DailyRun, PausedQueue, QueueSample
from project.schedule.entries import is_late
from tests.desk import placed
from tests.factories import add_product
from tests.pages import open_page, read_page

pytestmark = pytest.mark.django_db

PAGE = "/admin/jobs/"
BOUNCE = "550 no such mailbox"


def mail(**fields: Any) -> Notification:
    values: dict[str, Any] = {
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": f"{uuid4()}@example.org",
        "language": "en",
    }
    if fields.get("status") in (Status.FAILED, Status.DONE, Status.UNKNOWN):
        values["finished_at"] = Now()
    return Notification.objects.create(**(values | fields))


def picture(**fields: Any) -> MediaJob:
    values: dict[str, Any] = {"kind": "pickup_pass", "source": f"order:{uuid4()}", "recipe": "pass"}
    if fields.get("status") == Status.FAILED:
        values["finished_at"] = Now()
    return MediaJob.objects.create(**(values | fields))


def shown(client: Client, **query: str) -> list[str]:
    """Return the ids of the listed jobs."""
    lines = client.get(PAGE, query).context["page"].lines
    return [line.url.split("/")[-3] for line in lines]


@pytest.fixture
def looker(client: Client) -> Client:
    """May see messages, and decide about nothing."""
    user = User.objects.create_user("looker", password="looker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_notification"))
    client.force_login(user)
    return client


@pytest.fixture
def schedule() -> None:
    """Write the migrations' schedule: after a test on real transactions it is gone."""
    migration = importlib.import_module("project.migrations.0002_schedule")
    migration.create_schedule(apps, None)


# ── The list ────────────────────────────────────────────────────────────────────────────────
def test_it_lists_the_jobs_of_all_models_the_newest_first(admin_client: Client) -> None:
    first, second = mail(created_at=Now() - timedelta(hours=1)), picture()

    assert shown(admin_client) == [str(second.pk), str(first.pk)]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "notification"},
        {"kind": "notification:order_placed"},
        {"state": "failed"},
        {"age": "older"},
        {"error": BOUNCE},
    ],
)
def test_each_filter_finds_its_jobs_alone(admin_client: Client, query: dict[str, str]) -> None:
    wanted = mail(status=Status.FAILED, error=BOUNCE, created_at=Now() - timedelta(days=3))
    picture()

    assert shown(admin_client, **query) == [str(wanted.pk)]


def test_the_order_is_found_by_its_number(admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    mail()

    found = shown(admin_client, order=order.display_number)

    assert len(found) == 2
    assert shown(admin_client, order="T99999999") == []


@pytest.mark.parametrize(
    "query",
    ["kind=nonsense", "state=x", "age=y", "order=%00", "after=z~z", "range=year", "error=%ff"],
)
def test_junk_filters_nothing_and_breaks_nothing(admin_client: Client, query: str) -> None:
    mail()

    assert admin_client.get(f"{PAGE}?{query}").status_code in (200, 400)


def test_pages_go_on_behind_the_last_row(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("project.desk.jobs_page.listing.PAGE_SIZE", 2)
    now = timezone.now()  # several of one moment: the id decides
    jobs = [mail(created_at=now) for _number in range(3)] + [picture(created_at=now)]
    seen: list[str] = []
    url = PAGE
    while url:
        answer = admin_client.get(url)
        seen += [line.url.split("/")[-3] for line in answer.context["page"].lines]
        url = answer.context["next_url"].partition("#")[0]

    assert sorted(seen) == sorted(str(job.pk) for job in jobs)


def test_a_job_has_words_and_no_code(admin_client: Client) -> None:
    mail()
    picture()

    page = admin_client.get(PAGE).content.decode()
    table = page[page.index("<tbody>") :]

    assert str(EVENTS["order_placed"].label) in table
    assert "tasks." not in re.sub(r'(href|value)="[^"]*"', "", table)


def test_it_takes_as_many_queries_for_one_job_as_for_many(admin_client: Client) -> None:
    mail(status=Status.FAILED, error=BOUNCE)
    picture()
    admin_client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(PAGE)
    for _number in range(9):
        mail(status=Status.FAILED, error=BOUNCE)
        picture()

    with CaptureQueriesContext(connection) as many:
        admin_client.get(PAGE)

    assert len(many) <= len(few) <= 16, [query["sql"][:80] for query in many]


# ── Who may ─────────────────────────────────────────────────────────────────────────────────
def test_who_may_see_no_jobs_is_refused(client: Client) -> None:
    user = User.objects.create_user("packer", password="packer", is_staff=True)
    client.force_login(user)

    for path in (PAGE, f"{PAGE}live/", f"{PAGE}all/retry/"):
        assert client.get(path).status_code == 403
    assert "/admin/jobs/" not in client.get("/admin/").content.decode()


def test_who_may_look_sees_what_they_may_and_decides_nothing(looker: Client) -> None:
    job = mail(status=Status.FAILED, error=BOUNCE)
    picture()

    answer = looker.get(PAGE)

    assert [line.url.split("/")[-3] for line in answer.context["page"].lines] == [str(job.pk)]
    assert answer.context["offers"] == []
    assert not any(queue.url for queue in answer.context["queues"])
    assert looker.post(f"{PAGE}all/retry/").status_code == 403
    assert looker.post(f"{PAGE}queues/notify/pause/").status_code == 403
    assert not PausedQueue.objects.exists()


# ── All of them ─────────────────────────────────────────────────────────────────────────────
def retry_all(client: Client, **query: str) -> int:
    """Ask, confirm, and return the number that the question had."""
    url = f"{PAGE}all/retry/"
    asked = client.get(url, query)
    page = read_page(client, f"{url}?{urlencode(query)}", asked.content.decode())
    assert page.send().status_code == 302
    return sum(number for _kind, number in asked.context["facts"] if isinstance(number, int))


def test_all_that_match_are_retried_after_their_number_was_shown(admin_client: Client) -> None:
    for _number in range(3):
        mail(status=Status.FAILED, error=BOUNCE)
    other = picture(status=Status.FAILED, error="no space")

    assert retry_all(admin_client, error=BOUNCE) == 3

    assert Notification.objects.filter(status=Status.QUEUED).count() == 3
    other.refresh_from_db()
    assert other.status == Status.FAILED


def test_without_filters_the_jobs_of_all_models_are_meant(admin_client: Client) -> None:
    mail(status=Status.FAILED)
    picture(status=Status.FAILED)

    assert retry_all(admin_client) == 2
    assert {job.status for model in (Notification, MediaJob) for job in model.objects.all()} == {
        Status.QUEUED
    }


def test_a_job_that_failed_after_the_question_is_left(admin_client: Client) -> None:
    mail(status=Status.FAILED)
    asked = open_page(admin_client, f"{PAGE}all/retry/")
    later = mail(status=Status.FAILED, finished_at=Now() + timedelta(seconds=5))

    asked.send()

    later.refresh_from_db()
    assert later.status == Status.FAILED


def test_a_message_that_is_being_sent_is_not_cancelled(admin_client: Client) -> None:
    mail()
    running = mail(status=Status.RUNNING, token=uuid4(), lease_until=Now() + timedelta(minutes=1))
    asked = open_page(admin_client, f"{PAGE}all/cancel/")

    assert "Cancel 1 job?" in admin_client.get(f"{PAGE}all/cancel/").content.decode()
    asked.send()
    running.refresh_from_db()
    assert running.status == Status.RUNNING


def test_an_answer_without_its_question_is_refused(admin_client: Client) -> None:
    assert admin_client.post(f"{PAGE}all/retry/").status_code == 404
    assert admin_client.post(f"{PAGE}all/retry/", {"asked_at": "2026-99-99"}).status_code == 404
    assert admin_client.get(f"{PAGE}all/nonsense/").status_code == 404


# ── The audit log ───────────────────────────────────────────────────────────────────────────
def entries() -> list[tuple[str, str, dict[str, Any]]]:
    """Return the log's entries: the model, the row's key, and what was done."""
    return [
        (entry.content_type.model, entry.object_id or "", json.loads(entry.change_message)[0])
        for entry in LogEntry.objects.order_by("pk").select_related("content_type")
    ]


def test_each_decision_is_entered_into_the_audit_log(admin_client: Client) -> None:
    mail(status=Status.FAILED)
    mail(status=Status.FAILED)

    retry_all(admin_client)
    for _click in range(2):  # the second one changes nothing
        admin_client.post(f"{PAGE}queues/notify/pause/", {"reason": "The bank is down"})
    admin_client.post(f"{PAGE}queues/notify/resume/")

    assert entries() == [
        ("notification", "", {"did": "Retry", "count": 2}),
        ("pausedqueue", "notify", {"did": "Pause", "count": 1}),
        ("pausedqueue", "notify", {"did": "Resume", "count": 1}),
    ]


# ── Queues and schedule ─────────────────────────────────────────────────────────────────────
def test_the_queues_have_their_figures_and_ask_again_while_they_are_looked_at(
    admin_client: Client,
) -> None:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    QueueSample.objects.create(
        queue="notify", minute=minute, depth=7, oldest=90, done=5, failed=1, median=2, slowest=9
    )

    answer = admin_client.get(f"{PAGE}live/")

    notify = answer.context["queues"][[q.name for q in answer.context["queues"]].index("notify")]
    assert (notify.waiting, notify.oldest, notify.done, notify.failed) == ("7", "90 s", 5, 1)
    assert "every 10s [!document.hidden]" in answer.content.decode()
    assert "5 done, 1 failed" in notify.throughput


def test_a_queue_is_paused_for_a_reason_that_its_pages_show_and_resumed(
    admin_client: Client,
) -> None:
    page = open_page(admin_client, f"{PAGE}queues/media/pause/")
    refused = page.send()
    assert (refused.status_code, PausedQueue.objects.count()) == (422, 0)
    page.send(reason="The disk is full")
    [paused] = PausedQueue.objects.all()
    assert (paused.queue, paused.paused_by, paused.reason) == ("media", "admin", "The disk is full")
    for address in (PAGE, "/admin/"):
        shown = admin_client.get(address).content.decode()
        assert "paused by admin" in shown
        assert "The disk is full" in shown
    assert told(LogEntry.objects.get()).reason == "The disk is full"

    admin_client.post(f"{PAGE}queues/media/resume/")
    assert not PausedQueue.objects.exists()
    assert admin_client.post(f"{PAGE}queues/nonsense/pause/").status_code == 404
    assert admin_client.get(f"{PAGE}queues/media/resume/").status_code == 405


@pytest.mark.usefixtures("schedule")
def test_each_entry_of_the_schedule_has_its_last_twenty_results(admin_client: Client) -> None:
    audit = PeriodicTask.objects.get(task="project.tasks.audit")
    for number in range(25):
        TaskResult.objects.create(
            task_id=str(uuid4()),
            task_name=audit.task,
            status="FAILURE" if number == 24 else "SUCCESS",
        )
    for day in range(1, 4):
        DailyRun.objects.create(
            name="project.tasks.prune", day=f"2026-03-0{day}", finished_at=Now(), result={}
        )

    crons = {cron.title: cron for cron in admin_client.get(PAGE).context["crons"]}

    assert crons["Audit"].results.count("<rect") == 20
    assert crons["Audit"].results.count("is-failed") == 1
    assert crons["Prune"].results.count("is-done") == 3


@pytest.mark.usefixtures("schedule")
def test_an_entry_that_should_have_run_is_late() -> None:
    now = timezone.now()
    audit = PeriodicTask.objects.get(task="project.tasks.audit")  # every five minutes
    audit.last_run_at = now - timedelta(minutes=6)
    assert not is_late(audit, now=now)

    audit.last_run_at = now - timedelta(minutes=15)
    assert is_late(audit, now=now)

    audit.enabled = False
    assert not is_late(audit, now=now)


@pytest.mark.usefixtures("schedule")
def test_a_daily_entry_is_late_after_its_hour() -> None:
    prune = PeriodicTask.objects.get(task="project.tasks.prune")
    now = timezone.now()
    prune.last_run_at = now - timedelta(hours=25)
    assert is_late(prune, now=now)

    prune.last_run_at = now
    assert not is_late(prune, now=now + timedelta(minutes=1))

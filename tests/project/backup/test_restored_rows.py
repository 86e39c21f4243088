"""What a restored shop does again, and what it doesn't: the rules, on the rows of a backup."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, IntervalSchedule, PeriodicTask

from media_jobs.models import MediaJob
from notifications.models import Notification, WebhookEndpoint
from orders.desk_jobs.kinds import ANNOUNCE
from orders.models import Announcement, DeskJob
from project.backup.rules import rules
from project.backup.script import queue_interrupted
from project.jobs.model import Job, job_models
from project.jobs.queryset import Status
from project.models import ManualRun

pytestmark = pytest.mark.django_db


def restore() -> None:
    """Do to the rows of this database what a restore does to those of a backup."""
    with connection.cursor() as cursor:
        for statement in (*rules().on_restore, *queue_interrupted()):
            cursor.execute(statement)


def message(event: str = "order_placed", **fields: Any) -> Notification:
    values = {"channel": "email", "recipient": f"{uuid4().hex}@example.org", "language": "en"}
    return Notification.objects.create(kind=event, event=event, **(values | fields))


def running(job: Job, **fields: Any) -> Any:
    claim = type(job).objects.claim(job.pk)
    type(job).objects.filter(pk=job.pk).update(**fields)
    return claim


def state(job: Job) -> tuple[str, UUID | None]:
    job.refresh_from_db()
    return job.status, job.token


def test_a_message_that_a_gateway_had_is_left_to_an_operator() -> None:
    sent = message()
    claim = running(sent, gateway="email")

    restore()

    assert state(sent) == (Status.UNKNOWN, None)
    assert sent.maybe_duplicate
    assert "probably arrived" in sent.error
    assert not Notification.objects.succeed(claim, {})


def test_a_message_that_no_gateway_had_is_sent() -> None:
    claimed = message()
    running(claimed)

    restore()

    assert state(claimed) == (Status.QUEUED, None)
    assert Notification.objects.claim(claimed.pk) is not None


def test_a_message_that_waited_is_sent_and_marked() -> None:
    waiting = message()

    restore()

    assert state(waiting) == (Status.QUEUED, None)
    assert waiting.maybe_duplicate


def test_what_had_ended_stays_as_it_was() -> None:
    done = message(status="done", finished_at=timezone.now())
    failed = message(status="failed", finished_at=timezone.now(), error="no such box")

    restore()

    assert (state(done)[0], done.maybe_duplicate) == (Status.DONE, False)
    assert (state(failed)[0], failed.error) == (Status.FAILED, "no such box")


def test_a_code_is_not_sent_any_more() -> None:
    code = message("sign_in_code")

    restore()

    assert state(code) == (Status.CANCELLED, None)


@pytest.mark.parametrize("model", [MediaJob, DeskJob])
def test_an_interrupted_job_is_claimed_anew_and_its_old_worker_refused(model: type[Any]) -> None:
    job = model.objects.create(kind="thumbnails" if model is MediaJob else "import_products")
    late = running(job)

    restore()
    claim = model.objects.claim(job.pk)

    assert claim is not None
    assert claim.token != late.token
    assert not model.objects.held(late).exists()


def test_no_model_of_jobs_is_forgotten() -> None:
    tables = {model._meta.db_table for model in job_models()}

    assert {statement.split()[1] for statement in queue_interrupted()} == tables


def test_a_run_that_an_operator_asked_for_is_not_begun_again() -> None:
    run = ManualRun.objects.create(kind="project.tasks.prune", periodic_task="Prune")
    running(run)

    restore()

    assert state(run) == (Status.CANCELLED, None)


def test_announcements_are_not_sent_to_everyone_again() -> None:
    now = timezone.now()

    def announcement(**fields: Any) -> Announcement:
        return Announcement.objects.create(subject_en="News", text_en="News", **fields)

    missed = announcement(status="scheduled", send_at=now - timedelta(hours=1))
    planned = announcement(status="scheduled", send_at=now + timedelta(hours=1))
    sending = announcement(status="sending", send_at=now - timedelta(hours=1))
    job = DeskJob.objects.create(kind=ANNOUNCE.name, context={"announcement": sending.pk})
    running(job)
    part = message("announcement", occasion=str(sending.pk))

    restore()

    for each in (missed, planned, sending):
        each.refresh_from_db()
    assert (missed.status, missed.send_at) == ("draft", None)
    assert planned.status == "scheduled"
    assert sending.status == "stopped"
    assert state(job) == state(part) == (Status.CANCELLED, None)


def test_endpoints_wait_for_a_new_secret_but_those_that_need_none() -> None:
    def endpoint(kind: str) -> WebhookEndpoint:
        return WebhookEndpoint.objects.create(
            kind=kind, name=kind, url="https://hooks.example/", events=[], secret=""
        )

    made_by_people, of_platform = endpoint("shop"), endpoint("ucp")

    restore()

    for each in (made_by_people, of_platform):
        each.refresh_from_db()
    assert (made_by_people.status, of_platform.status) == ("paused", "active")


def test_the_schedule_begins_now() -> None:
    long_ago = timezone.now() - timedelta(days=9)
    hourly = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    entry = PeriodicTask.objects.create(
        name="Hourly", task="t", interval=hourly, last_run_at=long_ago
    )
    clocked = ClockedSchedule.objects.create(clocked_time=long_ago)
    once = PeriodicTask.objects.create(name="Once", task="t", clocked=clocked, one_off=True)

    restore()

    entry.refresh_from_db()
    assert entry.last_run_at > timezone.now() - timedelta(hours=1)
    once.refresh_from_db()
    assert not once.enabled

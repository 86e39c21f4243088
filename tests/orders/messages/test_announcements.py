"""Announcements: to each subscriber once, at their time, and stoppable."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Notification
from notifications.rendering import render
from orders.messages import announcements
from orders.messages.announcements import (
    audience,
    messages,
    send_announcements,
    stop,
    withdraw,
)
from orders.models import Announcement, DeskJob, User
from project.jobs.errors import LostClaimError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.schedule.passes import UnfinishedError
from tests.orders.readers import draft, plan_as_shown, subscribe

pytestmark = pytest.mark.django_db

State = Announcement.Status


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "BATCH_SIZE", 3)


def begun(**fields: str) -> tuple[Announcement, DeskJob]:
    """Return an announcement whose sending the relay has begun, and the job that will queue it."""
    announcement = draft(**fields)
    plan_as_shown(announcement)
    send_announcements()
    return announcement, DeskJob.objects.get()


def recipients(announcement: Announcement) -> list[str]:
    return sorted(messages(announcement).values_list("recipient", flat=True))


def state(announcement: Announcement) -> str:
    announcement.refresh_from_db()
    return announcement.status


# ── To whom ─────────────────────────────────────────────────────────────────────────────────
def test_it_goes_to_those_who_asked_and_have_confirmed_their_address() -> None:
    [reader, silent, unconfirmed, gone] = subscribe(4)
    User.objects.filter(pk=silent.pk).update(wants_announcements=False)
    EmailAddress.objects.filter(user=unconfirmed).update(verified=False)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    assert [user.email for user in audience()] == [reader.email]


def test_each_reads_it_in_their_language_and_by_their_name() -> None:
    subscribe(1), subscribe(1, language="zh-hans")
    _announcement, job = begun(subject_zh_hans="新茶", text_zh_hans="到了。")

    run_job(DeskJob, job.pk)

    messages: Any = Notification.objects.filter(event="announcement")
    words = {message.language: render(message) for message in messages}
    assert (words["en"].subject, words["zh-hans"].subject) == ("New tea", "新茶")
    assert "Hello Reader 0," in words["en"].text
    assert '<a href="https://example.org/tea"' in words["en"].html
    assert "/accounts/settings/" in words["zh-hans"].text


def test_without_chinese_words_everybody_gets_the_english_ones() -> None:
    assert draft().words("zh-hans")[0] == "New tea"


def test_words_are_words_and_not_a_template() -> None:
    subscribe(1)
    User.objects.update(name="{{ shop_name }}<b>")
    _announcement, job = begun(subject_en="{% now 'Y' %}\nBcc: x@y.z", text_en="<script>{{ x }}")

    run_job(DeskJob, job.pk)

    words = render(Notification.objects.get())
    assert words.subject == "{% now 'Y' %} Bcc: x@y.z"
    assert "Hello {{ shop_name }}<b>," in words.text
    assert "<script>" not in words.html


# ── When ────────────────────────────────────────────────────────────────────────────────────
def test_it_goes_out_at_its_time_and_not_before() -> None:
    subscribe(2)
    announcement = draft()
    assert plan_as_shown(announcement, at=timezone.now() + timedelta(hours=1))

    assert send_announcements() is None
    Announcement.objects.update(send_at=F("send_at") - timedelta(hours=2))
    assert send_announcements() == 1

    assert state(announcement) == State.SENDING
    assert send_announcements() is None
    assert DeskJob.objects.count() == 1


def test_it_is_planned_once_and_withdrawn_until_it_begins() -> None:
    announcement = draft()

    assert plan_as_shown(announcement)
    assert not plan_as_shown(announcement)
    assert withdraw(announcement.pk)
    assert state(announcement) == State.DRAFT

    plan_as_shown(announcement)
    send_announcements()
    assert not withdraw(announcement.pk)


def test_it_is_sent_once_all_its_messages_are_through() -> None:
    subscribe(2)
    announcement, job = begun()

    assert run_job(DeskJob, job.pk) == {"recipients": 2, "stopped": False}
    assert send_announcements() is None
    messages(announcement).update(status=Status.DONE)

    assert send_announcements() == 1
    assert state(announcement) == State.SENT


# ── Each once ───────────────────────────────────────────────────────────────────────────────
class WorkerDied(BaseException):
    """Nothing catches it on its way, as nothing catches SIGKILL."""


def die_at(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Let the worker die in the transaction of this batch, once."""
    create, count = Notification.objects.bulk_create, 0

    def dying(*args: Any, **options: Any) -> Any:
        nonlocal count
        written = create(*args, **options)
        count += 1
        if count == batch:
            raise WorkerDied
        return written

    monkeypatch.setattr(Notification.objects, "bulk_create", dying)


def run_again(job: DeskJob) -> Any:
    """Let the dead worker's lease run out, and another take the job."""
    DeskJob.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    return run_job(DeskJob, job.pk)


def test_a_worker_dies_half_way_and_the_next_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers = subscribe(8)
    announcement, job = begun()
    die_at(monkeypatch, batch=2)

    with pytest.raises(WorkerDied):
        run_job(DeskJob, job.pk)
    assert len(recipients(announcement)) == 3

    assert run_again(job) == {"recipients": 8, "stopped": False}
    assert recipients(announcement) == sorted(reader.email for reader in readers)


def test_what_was_written_without_its_mark_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers = subscribe(8)
    announcement, job = begun()
    run_job(DeskJob, job.pk)
    Announcement.objects.update(reached=0, recipients=0, queued_at=None)
    DeskJob.objects.update(status=Status.QUEUED)

    run_job(DeskJob, job.pk)

    assert recipients(announcement) == sorted(reader.email for reader in readers)


def test_control_messages_with_ids_by_chance_would_be_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = announcements.message_for

    def by_chance(*args: Any) -> Notification:
        message = written(*args)
        message.pk = Notification().pk
        return message

    monkeypatch.setattr(announcements, "message_for", by_chance)
    subscribe(8)
    announcement, job = begun()
    run_job(DeskJob, job.pk)
    Announcement.objects.update(reached=0, recipients=0, queued_at=None)
    DeskJob.objects.update(status=Status.QUEUED)

    run_job(DeskJob, job.pk)

    assert len(recipients(announcement)) == 16


# ── Stopped ─────────────────────────────────────────────────────────────────────────────────
def test_a_stop_cancels_what_is_not_sent_and_lets_nothing_more_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe(8)
    announcement, job = begun()
    batch = announcements.queue_batch

    def stopped_after_it(announcement_id: int) -> Announcement:
        queued = batch(announcement_id)
        Notification.objects.filter(pk=messages(queued)[0].pk).update(status=Status.DONE)
        assert stop(announcement_id, user_id=None)
        return queued

    monkeypatch.setattr(announcements, "queue_batch", stopped_after_it)
    with pytest.raises(LostClaimError):
        run_job(DeskJob, job.pk)

    assert state(announcement) == State.STOPPED
    assert run_job(DeskJob, stop_job().pk) == {"cancelled": 2}
    assert announcements.counts(announcement) == {"done": 1, "cancelled": 2}
    assert not stop(announcement.pk, user_id=None)


def stop_job() -> DeskJob:
    return DeskJob.objects.get(kind="stop_announcement")


def queued(count: int) -> Announcement:
    """Return an announcement whose messages are all queued."""
    subscribe(count)
    announcement, job = begun()
    run_job(DeskJob, job.pk)
    return announcement


def test_a_stop_works_in_batches_and_goes_on_where_it_was_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(announcements, "STOP_BATCH_SIZE", 3)
    announcement = queued(8)
    stop(announcement.pk, user_id=None)
    steps = []

    def dying(job: DeskJob, percent: int) -> None:
        steps.append(percent)
        if len(steps) == 2:
            raise WorkerDied

    with monkeypatch.context() as patch:
        patch.setattr(announcements, "store_progress", dying)
        with pytest.raises(WorkerDied):
            run_job(DeskJob, stop_job().pk)
    assert announcements.counts(announcement) == {"cancelled": 6, "queued": 2}
    announcement.refresh_from_db()
    assert announcements.stopping(announcement) == 0

    DeskJob.objects.update(status=Status.QUEUED, token=None, lease_until=None)
    assert run_job(DeskJob, stop_job().pk) == {"cancelled": 2}
    assert steps == [37, 75]


def test_readers_of_one_address_are_all_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "STOP_BATCH_SIZE", 2)
    announcement = queued(7)
    messages(announcement).update(recipient="same@example.org")
    stop(announcement.pk, user_id=None)

    assert run_job(DeskJob, stop_job().pk) == {"cancelled": 7}


def test_a_stop_that_failed_is_asked_for_again() -> None:
    announcement = queued(2)
    stop(announcement.pk, user_id=None)
    DeskJob.objects.filter(kind="stop_announcement").update(status=Status.FAILED, error="away")
    announcement.refresh_from_db()
    stalled = announcements.stall(announcement)
    assert stalled is not None
    assert stalled.reason == "away"

    assert stop(announcement.pk, user_id=None)

    assert run_job(DeskJob, stop_job().pk) == {"cancelled": 2}
    assert announcements.stall(announcement) is None


def test_a_batch_of_a_stop_reads_its_own_messages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the index, or each of 300 batches would read all 300,000."""
    monkeypatch.setattr(announcements, "STOP_BATCH_SIZE", 50)
    announcement = draft()
    Notification.objects.bulk_create(
        Notification(
            kind="announcement.email",
            event="announcement",
            occasion=str(announcement.pk),
            channel="email",
            recipient=f"reader-{number}@example.org",
            language="en",
        )
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_notification")

    with CaptureQueriesContext(connection) as captured:
        next(announcements._by_recipient(announcement)).cancel()

    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "one_notification_per_event" in plan
        assert "Sort" not in plan
        assert "Seq Scan" not in plan
    assert Notification.objects.filter(status=Status.CANCELLED).count() == 50


# ── A job that ended too early ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, None])
def test_an_announcement_whose_job_has_ended_says_so_and_goes_on(status: Status | None) -> None:
    subscribe(2)
    announcement, job = begun()
    announcement.refresh_from_db()
    assert announcements.stall(announcement) is None
    if status is None:
        DeskJob.objects.all().delete()  # pruned
    else:
        DeskJob.objects.update(status=status, error="the worker died 3 times")

    stalled = announcements.stall(announcement)
    assert stalled is not None
    assert stalled.reason == ("the worker died 3 times" if status == Status.FAILED else "")

    assert announcements.go_on(announcement.pk)
    assert not announcements.go_on(announcement.pk)
    run_job(DeskJob, job.pk)
    assert len(recipients(announcement)) == 2


@pytest.mark.django_db(transaction=True)
def test_an_announcement_that_somebody_has_locked_stops_no_other() -> None:
    held, free = draft(), draft()
    for announcement in (held, free):
        plan_as_shown(announcement)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM orders_announcement WHERE id = %s FOR UPDATE", [held.pk])
        with pytest.raises(UnfinishedError, match="1 announcements wait"):
            send_announcements()
        cursor.execute("ROLLBACK")
    other.close()

    assert (state(held), state(free)) == (State.SCHEDULED, State.SENDING)
    assert send_announcements() == 1


def test_a_job_that_comes_after_the_stop_queues_nothing() -> None:
    subscribe(2)
    announcement, job = begun()
    stop(announcement.pk, user_id=None)
    DeskJob.objects.update(status=Status.QUEUED)

    assert run_job(DeskJob, job.pk) == {"recipients": 0, "stopped": True}
    assert recipients(announcement) == []


@pytest.mark.parametrize("fields", [{"status": "sending"}, {"subject_zh_hans": "新茶"}])
def test_the_database_refuses_halves(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        draft(**fields)

"""What pruning deletes, and what it keeps."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import TaskResult

from media_jobs.models import Asset, MediaJob, Rendition
from notifications.models import Notification
from project.conf.durations import whole_days
from project.jobs.handler import KEEP_JOBS, handler_of
from project.jobs.model import Job, job_models
from project.models import AuditRun, DailyRun, Heartbeat, ManualRun
from project.schedule import prune as module
from project.schedule.prune import (
    KEEP_AUDITS,
    KEEP_DAILY_RUNS,
    KEEP_HEARTBEATS,
    KEEP_RESULTS,
    UnprunedError,
    prune,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def notification(**values: object) -> Notification:
    fields = {
        "order_id": uuid4(),
        "kind": "k",
        "event": "e",
        "channel": "email",
        "recipient": "r@example.org",
    }
    return Notification.objects.create(language="en", **fields | values)


def test_finished_jobs_are_kept_for_their_time_and_others_for_ever() -> None:
    old, young = Now() - KEEP_JOBS - HOUR, Now() - KEEP_JOBS + HOUR
    gone = {
        notification(status="done", finished_at=old),
        notification(status="cancelled", finished_at=old),
    }
    kept = {
        notification(status="done", finished_at=young),
        notification(status="failed", finished_at=old),
        notification(status="unknown", finished_at=old),
        notification(run_after=old, created_at=old),
    }

    deleted = prune()

    assert deleted["notification"] == len(gone)
    assert set(Notification.objects.all()) == kept


def test_passes_of_old_orders_go_with_their_files_and_renditions_of_products_stay(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    old = Now() - KEEP_JOBS - HOUR
    asset = Asset.objects.create(
        file="originals/a.png", sha256="a" * 64, content_type="image/png", size=1
    )
    fields = {"kind": "k", "recipe": "r", "status": "done", "finished_at": old}
    its_renditions = MediaJob.objects.create(source="asset", asset=asset, **fields)
    old_pass = MediaJob.objects.create(source="order", order_id=uuid4(), **fields)
    for job in (its_renditions, old_pass):
        folder = tmp_path / "renditions" / str(job.pk) / "12345678"
        folder.mkdir(parents=True)
        (folder / "card.webp").write_bytes(b"webp")
        Rendition.objects.create(
            job=job,
            name="card",
            format="webp",
            width=1,
            height=1,
            size=4,
            file=f"renditions/{job.pk}/12345678/card.webp",
        )

    assert prune()["media"] == 1

    assert list(MediaJob.objects.all()) == [its_renditions]
    files = [path.parent.parent.name for path in tmp_path.rglob("*.webp")]
    assert files == [str(its_renditions.pk)]


def test_a_kind_that_cannot_be_pruned_stops_no_other_and_is_told(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    old = Now() - KEEP_JOBS - HOUR
    fields = {"kind": "k", "recipe": "r", "status": "done", "finished_at": old}
    old_pass = MediaJob.objects.create(source="order", order_id=uuid4(), **fields)
    file = tmp_path / "private" / "renditions" / "12345678" / "pass.pdf"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"pdf")
    Rendition.objects.create(
        job=old_pass,
        name="pass",
        format="pdf",
        width=1,
        height=1,
        size=3,
        file=str(file.relative_to(tmp_path)),
    )
    run = ManualRun.objects.create(kind="k", periodic_task="t", status="done", finished_at=old)
    message = notification(status="done", finished_at=old)

    with monkeypatch.context() as broken:
        broken.setattr("media_jobs.rendition_files.default_storage.delete", _fail)
        with pytest.raises(UnprunedError, match="media: OSError: the storage is away"):
            prune()

    assert not Notification.objects.filter(pk=message.pk).exists()
    assert not ManualRun.objects.filter(pk=run.pk).exists()
    assert file.exists()
    assert prune()["media"] == 1, "the row was there to find the file by"
    assert not file.exists()


def _fail(*_args: object) -> None:
    raise OSError("the storage is away")


def test_old_results_sessions_audits_daily_runs_and_heartbeats_go() -> None:
    for number, age in enumerate((KEEP_RESULTS + HOUR, KEEP_RESULTS - HOUR)):
        result = TaskResult.objects.create(task_id=f"result-{number}")
        TaskResult.objects.filter(pk=result.pk).update(date_done=Now() - age)
    Session.objects.create(session_key="over", session_data="", expire_date=Now() - HOUR)
    Session.objects.create(session_key="valid", session_data="", expire_date=Now() + HOUR)
    AuditRun.objects.create(is_clean=True, started_at=Now() - KEEP_AUDITS - HOUR)
    AuditRun.objects.create(is_clean=False, started_at=Now() - KEEP_AUDITS + HOUR)
    Heartbeat.objects.all().delete()  # those of real workers of earlier tests
    Heartbeat.objects.create(name="notify@gone", seen_at=Now() - KEEP_HEARTBEATS - HOUR)
    Heartbeat.objects.create(name="notify@here", seen_at=Now())
    DailyRun.objects.create(
        name="prune", day=date(2025, 1, 1), started_at=Now() - KEEP_DAILY_RUNS - HOUR
    )
    DailyRun.objects.create(
        name="prune", day=date(2026, 1, 1), started_at=Now() - KEEP_DAILY_RUNS + HOUR
    )

    deleted = prune()

    assert deleted == {
        "results": 1, "sessions": 1, "audits": 1, "heartbeats": 1, "daily runs": 1, "schedule": 0,
        "unconfirmed accounts": 0, "known numbers": 0, "HTML of messages": 0,
        "ended sessions": 0, "queue samples": 0, "sales quarters": 0,
        "abandoned carts": 0, "old clearings of carts": 0, "checkout drafts": 0, "ended holds": 0,
        "carriers' answers": 0, "answers to API clients": 0, "answers to agents": 0,
        "checkouts of agents": 0, "carts of agents": 0, "platforms of agents": 0,
        "checkouts of agents' orders": 0, "links with agents": 0,
        "unconfirmed waiting list entries": 0, "waiting list entries": 0, "restocks": 0,
        "notification": 0, "webhook": 0, "media": 0, "desk": 0, "exports of persons": 0,
        "audit log": 0, "decisions about jobs": 0, "performance runs": 0,
        "wrong passwords": 0, "log of wrong passwords": 0, "log of sign-ins": 0,
        "buyers of erased persons": 0, "ended cache entries": 0,
    }  # fmt: skip
    assert TaskResult.objects.get().task_id == "result-1"
    assert Session.objects.get().session_key == "valid"
    assert AuditRun.objects.get().is_clean is False
    assert Heartbeat.objects.get().name == "notify@here"
    assert DailyRun.objects.get().day == date(2026, 1, 1)


def test_many_rows_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    old = Now() - KEEP_JOBS - HOUR
    for _ in range(5):
        notification(status="done", finished_at=old)

    assert prune()["notification"] == 5
    assert prune()["notification"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_keeps_its_batch_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    monkeypatch.setattr(module, "PRUNING_LOCK", "100ms")
    old = Now() - KEEP_JOBS - HOUR
    for _ in range(5):
        notification(status="done", finished_at=old)
    held = Notification.objects.order_by("finished_at")[0]
    before = _lock_timeout()

    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT FROM notifications_notification WHERE id = %s FOR UPDATE", [held.pk]
            )
            assert prune()["notification"] == 3
    finally:
        other.close()

    assert held in Notification.objects.all()
    assert _lock_timeout() == before
    assert prune()["notification"] == 2


def _lock_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (value,) = cursor.fetchone()
    return str(value)


def test_messages_are_kept_as_long_as_the_operator_says(settings: Any) -> None:
    settings.KEEP_MESSAGES_DAYS = 7
    gone = notification(status="done", finished_at=Now() - timedelta(days=7) - HOUR)
    kept = notification(status="done", finished_at=Now() - timedelta(days=7) + HOUR)

    prune()

    assert set(Notification.objects.filter(pk__in=(gone.pk, kept.pk))) == {kept}


@pytest.mark.parametrize("text", ["0", "-1", "", "seven", "1.5"])
def test_a_retention_that_is_no_number_of_days_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="KEEP_MESSAGES_DAYS"):
        whole_days("KEEP_MESSAGES_DAYS", text)


@pytest.mark.parametrize("model", job_models(), ids=lambda model: model.__name__)
def test_old_jobs_are_read_in_the_order_of_an_index(model: type[Job]) -> None:
    rows = handler_of(model).prunable().filter(finished_at__lt=Now() - KEEP_JOBS)
    page = rows.order_by("finished_at").values_list("pk", "finished_at")[:1000]
    sql, parameters = page.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert f"{model._meta.model_name}_prunable" in plan
    assert "Sort" not in plan


def test_a_batch_begins_where_the_one_before_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    old = [
        notification(status="done", finished_at=Now() - KEEP_JOBS - number * HOUR)
        for number in range(5, 0, -1)
    ]
    for message in old:
        message.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        assert prune()["notification"] == 5

    table = Notification._meta.db_table
    reads = [
        query["sql"]
        for query in queries
        if f'FROM "{table}"' in query["sql"] and '"finished_at" >= ' in query["sql"]
    ]
    assert len(reads) == 3
    for read, last in zip(reads, (old[1], old[3], old[4]), strict=True):
        assert last.finished_at is not None
        assert f"{last.finished_at:%H:%M:%S.%f}" in read

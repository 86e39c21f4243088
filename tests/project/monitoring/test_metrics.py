"""The page that Prometheus reads."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from media_jobs.models import MediaJob
from notifications.models import ChannelState, Notification, WebhookDelivery, WebhookEndpoint
from project import views
from project.models import AuditRun, DeferralCount, Heartbeat, PausedQueue, Sweep
from project.monitoring.metrics import read_metrics

pytestmark = pytest.mark.django_db


def notification(**values: object) -> Notification:
    return Notification.objects.create(
        order_id=uuid4(),
        kind="k",
        event="e",
        channel="email",
        recipient="r@example.org",
        language="en",
        **values,
    )


def sample(family_name: str, /, **labels: str) -> float:
    """Return the one sample of this name and these labels."""
    [value] = [
        found.value
        for family in text_string_to_metric_families(read_metrics().decode())
        for found in family.samples
        if found.name == family_name and found.labels == labels
    ]
    return value


def test_open_and_troubled_jobs_are_counted_by_app_and_status() -> None:
    notification()
    notification()
    notification(status="failed")
    notification(status="done")
    MediaJob.objects.create(kind="k", source="s", recipe="r", status="unknown")

    assert sample("tandem_jobs", app="notification", status="queued") == 2
    assert sample("tandem_jobs", app="notification", status="failed") == 1
    assert sample("tandem_jobs", app="notification", status="running") == 0
    assert sample("tandem_jobs", app="media", status="unknown") == 1
    assert b'status="done"' not in read_metrics()


def test_the_oldest_ready_job_tells_how_long_jobs_wait() -> None:
    notification(run_after=Now() - timedelta(seconds=90))
    notification()
    notification(run_after=Now() + timedelta(hours=1))

    assert 90 <= sample("tandem_jobs_oldest_ready_seconds", app="notification") < 100
    assert sample("tandem_jobs_oldest_ready_seconds", app="media") == 0


def test_each_service_is_up_or_not() -> None:
    Heartbeat.objects.beat("notify@host")

    assert sample("tandem_up", service="notify") == 1
    assert sample("tandem_up", service="media") == 0


def test_the_last_audit_is_told() -> None:
    assert b"tandem_audit_clean" not in read_metrics()
    AuditRun.objects.create(is_clean=True, started_at=Now() - timedelta(minutes=5))
    run = AuditRun.objects.create(is_clean=False)
    run.refresh_from_db()

    assert sample("tandem_audit_clean") == 0
    assert sample("tandem_audit_timestamp_seconds") == pytest.approx(run.finished_at.timestamp())


def test_jobs_that_ended_lately_are_counted_by_kind_with_their_time() -> None:
    for seconds in (2, 4, 30):
        notification(status="done", run_after=Now() - timedelta(seconds=seconds), finished_at=Now())
    notification(status="failed", finished_at=Now())
    notification(status="done", finished_at=Now() - timedelta(minutes=3))

    labels = {"app": "notification", "kind": "k"}
    assert sample("tandem_jobs_finished", **labels, status="done") == 3
    assert sample("tandem_jobs_finished", **labels, status="failed") == 1
    assert sample("tandem_job_seconds", **labels, quantile="0.5") == pytest.approx(4, abs=0.5)
    assert 20 < sample("tandem_job_seconds", **labels, quantile="0.95") < 31


def test_the_slowest_living_relay_tells_how_soon_jobs_start() -> None:
    Heartbeat.objects.beat("relay@a:1", broker="ok", ring_to_start={"media": 0.2})
    Heartbeat.objects.beat("relay@b:1", broker="ok", ring_to_start={"media": 0.4})
    Heartbeat.objects.beat("relay@c:1", broker="ok", ring_to_start={"media": 9.0})
    Heartbeat.objects.filter(name="relay@c:1").update(seen_at=Now() - timedelta(minutes=1))

    assert sample("tandem_ring_to_start_seconds", app="media") == 0.4


def test_webhook_endpoints_that_dont_answer_are_shown() -> None:
    fields = {"url": "https://hooks.example/", "events": ["order.placed"], "secret": ""}
    silent = WebhookEndpoint.objects.create(name="a", failures=2, failing_since=Now(), **fields)
    well = WebhookEndpoint.objects.create(name="b", **fields)
    WebhookDelivery.objects.create(endpoint=silent, kind="order.placed")

    assert sample("tandem_webhook_silent", endpoint=str(silent.pk)) == 1
    assert sample("tandem_webhook_waiting", endpoint=str(silent.pk)) == 1
    assert sample("tandem_webhook_silent", endpoint=str(well.pk)) == 0


def test_breakers_and_pauses_are_shown() -> None:
    ChannelState.objects.create(
        gateway="email", openings=1, opened_at=Now(), open_until=Now() + timedelta(minutes=1)
    )
    ChannelState.objects.create(gateway="sms.example")
    PausedQueue.objects.create(queue="media", paused_by="ada", reason="new disks")

    assert sample("tandem_breaker_open", gateway="email") == 1
    assert sample("tandem_breaker_open", gateway="sms.example") == 0
    assert sample("tandem_paused", kind="queue", name="media") == 1


def test_sweeps_are_late_or_failing() -> None:
    Sweep.objects.create(name="in_time", late_after=Now() + timedelta(minutes=1))
    Sweep.objects.create(name="late", late_after=Now() - timedelta(minutes=1), error="oh")
    Sweep.objects.create(name="of_another_version", error="oh")

    assert sample("tandem_sweep_late_seconds", sweep="in_time") == 0
    assert 60 <= sample("tandem_sweep_late_seconds", sweep="late") < 70
    assert sample("tandem_sweep_failing", sweep="in_time") == 0
    assert sample("tandem_sweep_failing", sweep="late") == 1
    assert b"of_another_version" not in read_metrics()


def test_deferrals_of_all_processes_are_counted() -> None:
    DeferralCount.objects.add("stock-writer", 3)
    DeferralCount.objects.add("stock-writer", 4)
    DeferralCount.objects.add("sales-writer", 1)

    assert sample("tandem_writer_deferrals_total", writer="stock-writer") == 7
    assert sample("tandem_writer_deferrals_total", writer="sales-writer") == 1


def test_the_page_is_in_the_format_of_prometheus(client: Client) -> None:
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")


def test_without_database_the_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bytes:
        raise OperationalError("connection refused")

    monkeypatch.setattr(views, "read_metrics", away)

    assert client.get("/metrics").status_code == 503

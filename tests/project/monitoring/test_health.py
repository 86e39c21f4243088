"""The health pages: what a load balancer, a monitor and `bin/up` read."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client

from project import views
from project.models import Heartbeat
from project.monitoring import health
from project.monitoring.health import SERVICES

CHANNELS = ("channel:email", "channel:sms")


@pytest.fixture(autouse=True)
def a_process_that_runs_for_long(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(health, "started", time.monotonic() - 3600)
    monkeypatch.setattr(views, "migrated", False)
    settings.TANDEM_LOCAL = True
    settings.SMS_URL = "http://gateway.example/sms"


@pytest.fixture
def all_alive(db: None) -> None:
    for service in SERVICES:
        detail = {"broker": "ok"} if service == "relay" else {}
        Heartbeat.objects.beat(f"{service}@host", **detail)


def silent_for(name: str, seconds: int) -> None:
    Heartbeat.objects.filter(name=name).update(seen_at=Now() - timedelta(seconds=seconds))


def test_healthz_answers_without_database(client: Client) -> None:
    # No `db` fixture: any query would fail the test.
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


def test_readyz_is_ok_when_all_processes_are_alive(client: Client, all_alive: None) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": dict.fromkeys(("database", "broker", *SERVICES, *CHANNELS), "ok"),
    }


def test_readyz_reads_heartbeats_and_channels_in_one_query_each(
    client: Client, all_alive: None, django_assert_num_queries: Callable[..., Any]
) -> None:
    client.get("/readyz")  # the first look is at the migrations, too

    with django_assert_num_queries(2):
        client.get("/readyz")


@pytest.mark.parametrize("service", SERVICES)
def test_readyz_names_a_service_that_is_silent_and_still_takes_orders(
    client: Client, all_alive: None, service: str
) -> None:
    silent_for(f"{service}@host", 60)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"][service] == "not seen for 60 s"


def test_one_living_host_is_enough(client: Client, all_alive: None) -> None:
    silent_for("notify@host", 3600)
    Heartbeat.objects.beat("notify@another")

    assert client.get("/readyz").json()["status"] == "ok"


def test_readyz_tells_what_the_relay_says_of_the_broker(client: Client, all_alive: None) -> None:
    Heartbeat.objects.beat("relay@host", broker="Connection refused (for 12 s)")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["broker"] == "Connection refused (for 12 s)"


def test_nobody_knows_the_broker_when_the_relay_is_silent(client: Client, all_alive: None) -> None:
    silent_for("relay@host", 60)

    assert client.get("/readyz").json()["checks"]["broker"] == "unknown"


def test_a_young_local_shop_is_starting_until_all_processes_were_seen(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "started", time.monotonic())
    Heartbeat.objects.beat("relay@host", broker="ok")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    assert answer.json()["checks"]["notify"] == "not seen yet"


def test_a_shop_that_never_sees_its_workers_is_degraded_not_down(client: Client, db: None) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_readyz_is_503_before_the_migrations(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "is_migrated", lambda: False)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    assert "manage.py migrate" in answer.json()["checks"]["database"]


def test_a_migration_that_was_not_run_is_noticed(db: None) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    assert health.is_migrated()

    MigrationRecorder.Migration.objects.filter(app="project").latest("name").delete()

    assert not health.is_migrated()


def test_readyz_is_503_without_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OperationalError("connection refused")

    monkeypatch.setattr(views, "is_migrated", away)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "can't be reached"}


@pytest.mark.parametrize("page", ["/healthz", "/readyz", "/metrics"])
def test_the_health_pages_are_only_read(client: Client, page: str) -> None:
    assert client.post(page).status_code == 405

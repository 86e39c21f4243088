"""The health pages: what a load balancer, a monitor and `bin/up` read."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client

from project import views
from project.models import Heartbeat, Sweep, process_name
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
def none_alive(db: None) -> None:
    """Delete the heartbeats that a real worker of an earlier test left when it ended."""
    Heartbeat.objects.all().delete()


@pytest.fixture
def all_alive(none_alive: None) -> None:
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
        "checks": dict.fromkeys(
            ("database", "broker", "sweeps", "daily", *SERVICES, *CHANNELS), "ok"
        ),
    }


def test_readyz_reads_heartbeats_sweeps_and_channels_in_one_query_each(
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


def test_one_living_process_is_enough_and_a_silent_one_is_named(
    client: Client, all_alive: None
) -> None:
    silent_for("notify@host", 60)
    Heartbeat.objects.beat("notify@another:7")

    answer = client.get("/readyz").json()

    assert (answer["status"], answer["checks"]["notify"]) == ("ok", "ok")
    assert answer["notes"] == {"notify": "1 of 2: notify@host not seen for 60 s"}


# ── Sweeps ──────────────────────────────────────────────────────────────────────────────────
def late(name: str, *, error: str = "") -> None:
    """Let the sweep have been done 90 s ago, and be expected within 60."""
    Sweep.objects.note_done(name, result="1", allow=timedelta(seconds=60))
    past = {"done_at": Now() - timedelta(seconds=90), "late_after": Now() - timedelta(seconds=30)}
    Sweep.objects.filter(name=name).update(error=error, **past)


def test_readyz_is_degraded_while_a_sweep_is_late(client: Client, all_alive: None) -> None:
    late("settle_due", error="OperationalError: Key (email)=(ada@example.org)")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    said = answer.json()["checks"]["sweeps"]
    assert re.fullmatch(r"late: settle_due not done for (9\d|1\d\d) s", said)

    Sweep.objects.note_done("settle_due", result=None, allow=timedelta(seconds=60))
    assert client.get("/readyz").json()["status"] == "ok"


def test_a_failure_does_not_put_off_when_a_sweep_is_late(client: Client, all_alive: None) -> None:
    late("settle_due")

    Sweep.objects.note_error("settle_due", "locked", allow=timedelta(seconds=60))

    assert client.get("/readyz").json()["status"] == "degraded"


def test_a_sweep_that_never_worked_is_late_in_the_end(client: Client, all_alive: None) -> None:
    Sweep.objects.note_error("settle_due", "locked", allow=timedelta(seconds=60))
    assert client.get("/readyz").json()["status"] == "ok"

    Sweep.objects.update(late_after=Now() - timedelta(seconds=1))
    assert client.get("/readyz").json()["checks"]["sweeps"] == "late: settle_due never done"


def test_readyz_names_a_sweep_whose_error_the_next_run_did_not_mend(
    client: Client, all_alive: None
) -> None:
    error = "OperationalError: Key (email)=(ada@example.org)"
    Sweep.objects.note_done("wake", result="1", allow=timedelta(minutes=10))
    Sweep.objects.note_error("wake", error, allow=timedelta(minutes=10))
    assert client.get("/readyz").json()["status"] == "ok"  # it may have met a lock

    Sweep.objects.update(done_at=Now() - timedelta(seconds=30))
    answer = client.get("/readyz")

    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["sweeps"] == "failing: wake"
    assert b"ada@example.org" not in answer.content  # the error itself is at the desk
    Sweep.objects.note_done("wake", result="1", allow=timedelta(minutes=10))
    assert client.get("/readyz").json()["status"] == "ok"


def test_late_and_failing_sweeps_are_told_apart(client: Client, all_alive: None) -> None:
    late("settle_due", error="the changes of 2 products wait")
    Sweep.objects.note_done("expire_due", result="1", allow=timedelta(minutes=10))
    Sweep.objects.note_error("expire_due", "ZeroDivisionError", allow=timedelta(minutes=10))
    Sweep.objects.filter(name="expire_due").update(done_at=Now() - timedelta(seconds=30))

    said = client.get("/readyz").json()["checks"]["sweeps"]

    assert re.fullmatch(r"late: settle_due not done for \d+ s; failing: expire_due", said)


def test_the_desk_shows_a_failing_sweep_with_its_error(admin_client: Client) -> None:
    Sweep.objects.note_error("expire_due", "ZeroDivisionError: by 0", allow=timedelta(minutes=10))

    for path in ("/admin/project/sweep/", "/admin/jobs/"):
        page = admin_client.get(path).content.decode()
        assert "ZeroDivisionError: by 0" in page
        assert "failed" in page.lower()


def test_the_list_of_sweeps_says_in_words_which_is_late_or_failed(admin_client: Client) -> None:
    late("settle_due", error="the changes of 2 products wait")
    Sweep.objects.note_error("expire_due", "ZeroDivisionError", allow=timedelta(seconds=60))
    Sweep.objects.note_done("wake", result="0", allow=timedelta(seconds=60))
    Sweep.objects.create(name="of another version")

    page = admin_client.get("/admin/project/sweep/").content.decode()

    for words in ("Late", "Failed", "On time", "the changes of 2 products wait"):
        assert words.lower() in page.lower()


# ── Processes of one service ────────────────────────────────────────────────────────────────
def names() -> set[str]:
    return set(Heartbeat.objects.values_list("name", flat=True))


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_two_processes_of_one_host_have_heartbeats_of_their_own() -> None:
    host = socket.gethostname()

    assert process_name("relay") == f"relay@{host}:{os.getpid()}"
    assert process_name(f"notify@{host}") == f"notify@{host}:{os.getpid()}"


def test_a_new_process_takes_the_place_of_one_dead_one_of_its_host(
    none_alive: None, dead_pid: int
) -> None:
    dead, alive = f"relay@host:{dead_pid}", f"relay@host:{os.getppid()}"
    others = {f"relay@else:{dead_pid}", f"beat@host:{dead_pid}", f"relay@host.lan:{dead_pid}"}
    for name in (dead, alive, *others):
        Heartbeat.objects.beat(name)

    Heartbeat.objects.beat(process_name("relay").replace(socket.gethostname(), "host"))

    assert names() - {f"relay@host:{os.getpid()}"} == {alive, *others}


def test_a_dead_process_that_nobody_replaces_stays_to_be_seen(
    none_alive: None, dead_pid: int
) -> None:
    mine, dead = f"relay@host:{os.getpid()}", f"relay@host:{dead_pid}"
    Heartbeat.objects.beat(mine)
    Heartbeat.objects.beat(dead)
    silent_for(dead, 600)

    Heartbeat.objects.beat(mine)

    assert names() == {mine, dead}


def test_after_an_hour_a_silent_one_is_forgotten_while_others_live(none_alive: None) -> None:
    for name in ("relay@a:1", "relay@b:1", "beat@a:1"):
        Heartbeat.objects.beat(name)
        silent_for(name, 3700)

    Heartbeat.objects.beat("relay@c:1")

    assert names() == {"relay@c:1", "beat@a:1"}


def test_a_process_that_stops_takes_its_heartbeat_back_unless_it_is_the_last(
    none_alive: None,
) -> None:
    Heartbeat.objects.beat("relay@a:1")
    Heartbeat.objects.beat("relay@a:2")

    Heartbeat.objects.retire("relay@a:1")
    Heartbeat.objects.retire("relay@a:2")

    assert names() == {"relay@a:2"}


def test_readyz_tells_what_the_relay_says_of_the_broker(client: Client, all_alive: None) -> None:
    Heartbeat.objects.beat("relay@host", broker="Connection refused (for 12 s)")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["broker"] == "Connection refused (for 12 s)"


def test_nobody_knows_the_broker_when_the_relay_is_silent(client: Client, all_alive: None) -> None:
    silent_for("relay@host", 60)

    assert client.get("/readyz").json()["checks"]["broker"] == "unknown"


def test_a_young_local_shop_is_starting_until_all_processes_were_seen(
    client: Client, none_alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "started", time.monotonic())
    Heartbeat.objects.beat("relay@host", broker="ok")

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    assert answer.json()["checks"]["notify"] == "not seen yet"


def test_a_shop_that_never_sees_its_workers_is_degraded_not_down(
    client: Client, none_alive: None
) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_readyz_is_503_before_the_migrations(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "is_migrated", lambda: False)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    assert "manage.py migrate" in answer.json()["checks"]["database"]


def test_a_migration_that_was_not_run_is_noticed(none_alive: None) -> None:
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

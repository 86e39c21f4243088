"""A paused queue: the relay dispatches none of its jobs, and all others as ever."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from media_jobs.models import MediaJob
from notifications.models import Notification
from project import relay as module
from project.celery import app
from project.jobs.model import Job
from project.models import Heartbeat
from project.monitoring.health import SERVICES, read_health
from project.queues import pausing
from project.relay import Relay

pytestmark = pytest.mark.django_db


def add_jobs() -> None:
    Notification.objects.create(
        order_id=uuid4(),
        kind="order_placed.email",
        event="order_placed",
        channel="email",
        recipient="ada@example.org",
        language="en",
    )
    MediaJob.objects.create(kind="pickup_pass", source=f"order:{uuid4()}", recipe="pass")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of what a relay's look publishes; the broker always has room."""
    found: list[str] = []

    def publish(self: Any, model: type[Job], job_id: Any, **_span: str) -> None:
        found.append(model.queue)

    monkeypatch.setattr(module.Publisher, "publish", publish)
    monkeypatch.setattr(module.Publisher, "queue_length", lambda self, queue: 0)
    return found


def test_the_relay_rings_no_job_of_a_paused_queue(published: list[str]) -> None:
    add_jobs()
    pausing.pause("notify", by="ada", reason="Maintenance")
    relay = Relay(app)
    try:
        relay.tick()
        assert published == ["media"]
        assert Notification.objects.get().rings == 0

        pausing.resume("notify")
        relay.tick()
        assert published == ["media", "notify"]
    finally:
        relay.close()


def test_without_the_pause_it_would(published: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(module, "paused_queues", set)
    add_jobs()
    pausing.pause("notify", by="ada", reason="Maintenance")
    relay = Relay(app)
    try:
        relay.tick()
    finally:
        relay.close()

    assert sorted(published) == ["media", "notify"]


def test_a_paused_queue_isnt_run_directly_while_the_broker_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: set[str] = set()

    def run(self: Relay, model: type[Job]) -> int:
        ran.add(model.queue)
        return 1

    monkeypatch.setattr(Relay, "_run_directly", run)
    relay = Relay(app)
    relay.publisher.health.failed(OSError("gone"))
    monkeypatch.setattr(module, "BROKER_GRACE", -1.0)
    try:
        relay.tick()
        assert ran == {"notify"}
        ran.clear()
        pausing.pause("notify", by="ada", reason="Maintenance")
        relay.tick()
    finally:
        relay.close()

    assert ran == set()


def test_pausing_twice_keeps_the_first_name() -> None:
    assert pausing.pause("media", by="ada", reason="Maintenance")
    assert not pausing.pause("media", by="bob", reason="Too slow")

    assert pausing.paused_queues() == {"media"}
    assert read_health().notes["queue:media"] == "paused by ada"
    assert pausing.resume("media")
    assert not pausing.resume("media")


def test_readyz_has_a_paused_queue_as_a_note_and_no_trouble(client: Client, settings: Any) -> None:
    Heartbeat.objects.all().delete()
    for service in SERVICES:
        Heartbeat.objects.beat(f"{service}@host", broker="ok")
    pausing.pause("notify", by="ada", reason="Maintenance")

    answer = client.get("/readyz").json()

    assert answer["status"] == "ok"
    assert answer["notes"] == {"queue:notify": "paused by ada"}

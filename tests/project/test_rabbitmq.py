"""The relay on a RabbitMQ (TEST_AMQP_URL): quorum queues, confirmed messages, bounded waits.

The same relay on Valkey is in test_relay.py; workers on both are in concurrency/test_real_worker.
"""

import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from amqp.exceptions import PreconditionFailed
from celery.worker.consumer import Consumer
from django.db.models.functions import Now
from kombu.connection import Connection

from notifications.handler import NotificationHandler
from notifications.models import Notification
from project.celery import PlainConsumer
from project.jobs.publisher import BrokerDown, Publisher
from project.jobs.run import run_job
from project.relay import Relay
from tests.brokers import (
    RABBITMQ,
    application,
    empty_queues,
    rabbitmq_alone,
    without_rabbitmq,
)
from tests.live import wait_until
from tests.project.gateway import Gateway, gateway_to
from tests.time_bounds import stretched

pytestmark = [
    rabbitmq_alone,
    pytest.mark.broker,
    without_rabbitmq,
    # Only these tables are emptied after each test: all of the shop's would take a second.
    pytest.mark.django_db(
        transaction=True, available_apps=["project", "notifications", "media_jobs"]
    ),
]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with empty_queues(RABBITMQ), gateway_to(RABBITMQ) as between:
        yield between


@pytest.fixture
def relay(gateway: Gateway) -> Iterator[Relay]:
    """A relay whose way to RabbitMQ leads through the gateway."""
    relay = Relay(application(gateway.url))
    yield relay
    relay.close()


@pytest.fixture
def queue(gateway: Gateway) -> Iterator["Queue"]:
    with application(RABBITMQ).connection_for_write() as connection:
        yield Queue(connection)


class Queue:
    """The notify queue, seen past the gateway."""

    def __init__(self, connection: Connection) -> None:
        self._channel = connection.channel()

    def take(self) -> list[UUID]:
        """Take all messages, as a worker does, and return their jobs."""
        messages = iter(lambda: self._channel.basic_get("notify", no_ack=True), None)
        return [UUID(message.headers["id"]) for message in messages]

    def purge(self) -> int:
        return self._channel.queue_purge("notify")

    def redeclare(self, kind: str) -> None:
        self._channel.queue_declare(
            "notify", durable=True, auto_delete=False, arguments={"x-queue-type": kind}
        )


def notification() -> Notification:
    return Notification.objects.create(
        order_id=uuid4(),
        kind="order_placed.email",
        event="order_placed",
        channel="email",
        recipient="ada@example.org",
        language="en",
    )


def test_a_job_is_published_claimed_and_done(
    relay: Relay, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotificationHandler, "perform", lambda handler, job: {"sent": True})
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    jobs = [notification() for _ in range(3)]

    assert relay.tick() == 3

    for job_id in queue.take():
        run_job(Notification, job_id)
    assert Notification.objects.filter(status="done").count() == len(jobs)
    assert relay.tick() == 0


def test_its_queues_are_quorum_queues(relay: Relay, queue: Queue) -> None:
    relay.tick()

    queue.redeclare("quorum")
    with pytest.raises(PreconditionFailed, match="x-queue-type"):
        queue.redeclare("classic")


def test_what_a_purged_queue_lost_is_rung_again(relay: Relay, queue: Queue) -> None:
    job = notification()
    relay.tick()
    assert queue.purge() == 1

    assert relay.tick() == 0, "not at once: the message may be on its way"
    Notification.objects.update(ring_after=Now())  # half a minute later
    relay.tick()

    assert queue.take() == [job.pk]


def test_jobs_go_on_when_the_way_to_it_is_mended(
    relay: Relay, queue: Queue, gateway: Gateway
) -> None:
    relay.tick()
    job = notification()
    gateway.cut()

    assert relay.tick() == 0
    assert not relay.publisher.health.ok
    assert Notification.objects.get().rings == 0, "unrung, or never rung"

    gateway.mend()
    wait_until(lambda: relay.tick() == 1, seconds=15)
    assert queue.take() == [job.pk]


def test_a_frozen_one_holds_up_the_relay_once_and_no_longer_than_its_timeout(
    relay: Relay, queue: Queue, gateway: Gateway
) -> None:
    relay.tick()
    job = notification()
    gateway.freeze()
    started = time.monotonic()

    relay.tick()
    first = time.monotonic() - started
    started = time.monotonic()
    for _ in range(3):
        relay.tick()
    later = time.monotonic() - started

    assert not relay.publisher.health.ok
    assert first < stretched(7.0)
    assert later < stretched(1.0)
    gateway.mend()
    wait_until(lambda: relay.tick() == 1, seconds=15)
    assert job.pk in queue.take()


def ring_at_a_broker_that_does_not_answer(gateway: Gateway, *, confirm: bool) -> None:
    app = application(gateway.url)
    app.conf.broker_transport_options["confirm_publish"] = confirm
    publisher, job = Publisher(app), notification()
    publisher.publish(Notification, job.pk)
    gateway.freeze()
    try:
        publisher.publish(Notification, job.pk)
    finally:
        gateway.cut()
        publisher.close()


def test_a_message_that_it_does_not_confirm_is_not_published(gateway: Gateway) -> None:
    with pytest.raises(BrokerDown):
        ring_at_a_broker_that_does_not_answer(gateway, confirm=True)


def test_control_without_confirms_it_counts_as_published(gateway: Gateway, queue: Queue) -> None:
    ring_at_a_broker_that_does_not_answer(gateway, confirm=False)

    assert len(queue.take()) < 2


def test_a_worker_makes_no_queues_for_delays() -> None:
    def makes_them(consumer: type[Consumer]) -> bool:
        return any("DelayedDelivery" in step for step in consumer.Blueprint.default_steps)

    assert not makes_them(PlainConsumer)
    assert makes_them(Consumer), "control: Celery's own does"

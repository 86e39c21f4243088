"""A broker that loses a thousand messages: their jobs are rung again, and done once each.

A real relay and a real notify worker, on the run's Valkey and on a RabbitMQ where there is one.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db.models import F

from notifications.handler import NotificationHandler
from notifications.models import Notification
from notifications.outbox import order_messages
from project.jobs.dispatch import packs
from project.jobs.queryset import Status
from project.relay import Relay
from tests.brokers import (
    RABBITMQ,
    VALKEY,
    application,
    empty_queues,
    rabbitmq_alone,
    without_rabbitmq,
)
from tests.concurrency.workers import (
    Inbox,
    PurgingPublisher,
    database_url,
    email,
    is_done,
    open_inbox,
    running_relay,
    running_worker,
)
from tests.live import wait_until
from tests.notifications.order_context import CONTEXT
from tests.time_bounds import stretched

# Only these tables are emptied after each test: all of the shop's would take a second.
pytestmark = [
    rabbitmq_alone,
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]


@pytest.fixture(
    params=[
        "valkey",
        pytest.param("rabbitmq", marks=[pytest.mark.broker, without_rabbitmq, pytest.mark.slow]),
    ]
)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The broker's URL."""
    url = {"valkey": VALKEY, "rabbitmq": RABBITMQ}[request.param]
    with empty_queues(url):
        yield url


def many_emails(count: int) -> None:
    Notification.objects.bulk_create(
        message
        for _ in range(count)
        for message in order_messages(
            event="order_placed",
            order_id=uuid4(),
            context=CONTEXT,
            email="zoe@example.org",
            phone="",
            language="en",
        )
    )


@pytest.mark.parametrize(
    ("count", "passes"),
    [
        pytest.param(100, True, id="100, with half a minute that passes at once"),
        pytest.param(1000, False, id="1000, in real time", marks=pytest.mark.slow),
    ],
)
def test_what_a_flushed_broker_lost_is_done_within_two_minutes_and_once(
    broker: str, tmp_path: Path, count: int, passes: bool
) -> None:
    many_emails(count)
    done = Notification.objects.filter(status=Status.DONE)
    relay = Relay(application(broker))
    with closing(PurgingPublisher(application(broker))) as publisher:
        rung = messages = 0
        while handled := relay.tick():
            rung += handled
            messages += len(packs([uuid4()] * handled, most=NotificationHandler.pack))
        assert (rung, publisher.queue_length("notify")) == (count, messages)
        publisher.empty("notify")
    flushed = time.monotonic()

    with open_inbox() as inbox, notify_worker(broker, inbox, tmp_path), running_relay(relay):
        after = email()
        wait_until(lambda: is_done(after), seconds=stretched(60))
        assert done.count() == 1, "control: without another ring they are lost"
        if passes:
            Notification.objects.update(ring_after=F("ring_after") - timedelta(seconds=30))
        wait_until(lambda: done.count() == count + 1, seconds=120)
        seconds = time.monotonic() - flushed

    print(f"{count} done {seconds:.0f} s after the flush")
    assert seconds < 120
    assert Counter(message["Message-ID"] for message in inbox.messages).most_common(1)[0][1] == 1
    assert len(inbox.messages) == count + 1


def notify_worker(broker: str, inbox: Inbox, folder: Path) -> AbstractContextManager[object]:
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": broker,
        "EMAIL_URL": inbox.url,
    }
    return running_worker("notify", environment=environment, log=folder / "log")

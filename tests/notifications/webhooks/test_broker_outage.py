"""Without a broker the relay delivers webhooks itself; one that hangs keeps no message waiting."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from notifications.handler import NotificationHandler
from notifications.models import Notification, WebhookDelivery
from notifications.webhooks.admission import PER_ENDPOINT
from project.jobs.queryset import Status
from project.local.data_folder import free_port
from project.relay import Relay
from tests.brokers import application
from tests.live import wait_until
from tests.notifications.webhooks.receiver import Receiver, endpoint_at, happened

pytestmark = pytest.mark.django_db(
    transaction=True, available_apps=["project", "notifications", "media_jobs"]
)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay whose broker has been away for a while."""
    with closing(Relay(application(f"redis://127.0.0.1:{free_port()}/0"))) as relay:
        relay.publisher.health.failing_since = -1000.0
        yield relay


def done(model: type[Notification] | type[WebhookDelivery]) -> int:
    return int(model.objects.filter(status=Status.DONE).count())


def test_deliveries_go_out_without_a_broker(relay: Relay, receiver: Receiver) -> None:
    endpoint_at(receiver.url)
    happened(10)

    wait_until(lambda: relay.tick() + done(WebhookDelivery) >= 10, seconds=30)

    wait_until(lambda: done(WebhookDelivery) == 10, seconds=10)
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 10


def test_an_endpoint_that_hangs_keeps_no_message_waiting(
    relay: Relay, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotificationHandler, "perform", lambda handler, job: {})
    monkeypatch.setattr(NotificationHandler, "on_succeeded", lambda handler, job: None)
    receiver.answers = [Receiver.SILENCE] * 20
    endpoint_at(receiver.url)
    happened(20)
    wait_until(lambda: relay.tick() * 0 + len(receiver.came) == PER_ENDPOINT, seconds=10)
    messages = {"kind": "x", "event": "order_placed", "channel": "email", "language": "en"}
    for number in range(20):
        Notification.objects.create(recipient=f"a{number}@example.org", **messages)

    wait_until(lambda: relay.tick() * 0 + done(Notification) == 20, seconds=10)

    assert len(receiver.came) == PER_ENDPOINT, "the endpoint still hangs"
    receiver.released.set()

"""A receiver on this machine that may be reached, and an endpoint for it."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from notifications.models import WebhookEndpoint
from tests.notifications.gateway import serving
from tests.notifications.webhooks.receiver import Receiver, endpoint_at


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    """A receiver that takes everything until the test says otherwise."""
    settings.WEBHOOK_INSIDE = [ip_network("127.0.0.0/8")]
    server = Receiver()
    with serving(server):
        yield server


@pytest.fixture
def endpoint(db, receiver) -> WebhookEndpoint:
    return endpoint_at(receiver.url)

"""Real servers on this machine, and notifications to send to them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller

from notifications.mailbox.endpoints import http_endpoint, smtp_endpoint
from notifications.mailbox.store import Mailbox
from notifications.models import Notification
from notifications.outbox import order_messages
from project.local.data_folder import free_port
from tests.notifications.gateway import Gateway, serving
from tests.notifications.order_context import CONTEXT


@pytest.fixture
def email_port(settings) -> int:
    """The port where e-mail goes in this test; whether something listens is the test's affair."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    return settings.EMAIL_PORT


@pytest.fixture
def mail_server(email_port) -> Iterator[Callable[[Any], None]]:
    """Call it with an aiosmtpd handler: a real mail server then behaves as the handler says."""
    started = []

    def start(handler: Any) -> None:
        controller = Controller(handler, hostname="127.0.0.1", port=email_port)
        controller.start()
        started.append(controller)

    yield start
    for controller in started:
        controller.stop()


@pytest.fixture
def gateway(settings) -> Iterator[Gateway]:
    """A real SMS gateway that answers as the test says."""
    server = Gateway()
    settings.SMS_URL = f"http://127.0.0.1:{server.port}/v1/send?from=Tandem"
    with serving(server):
        yield server


@pytest.fixture
def mailbox(settings, tmp_path, email_port) -> Iterator[Mailbox]:
    """The local mailbox with both endpoints open, and settings that lead there."""
    settings.DATA_DIR, settings.TANDEM_LOCAL = tmp_path, True
    kept = Mailbox()
    mail, sms = smtp_endpoint(kept, port=email_port), http_endpoint(kept, port=0)
    settings.SMS_URL = f"http://127.0.0.1:{sms.server_address[1]}/sms"
    mail.start()
    with serving(sms):
        yield kept
    mail.stop()


@pytest.fixture
def queued(db) -> Callable[..., Notification]:
    """Write one message of a placed order, as the order's transaction does."""

    def write(channel: str = "email", **context: Any) -> Notification:
        messages = order_messages(
            event="order_placed",
            order_id=uuid4(),
            context=CONTEXT | context,
            email="zoe@example.org",
            phone="+4915112345678",
            language=context.get("language", "en"),
        )
        [message] = [message for message in messages if message.channel == channel]
        message.save(force_insert=True)
        return message

    return write

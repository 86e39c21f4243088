"""Real workers as `bin/up` starts them, a relay, jobs for them, the mail server they send to."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as default_policy
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.db import connection

from media_jobs.models import MediaJob
from media_jobs.outbox import pickup_pass_job
from notifications.models import Notification
from notifications.outbox import order_messages
from project.jobs.model import Job
from project.jobs.publisher import Publisher
from project.jobs.queryset import Status
from project.local.env import ROOT
from project.local.shop import WORKERS
from project.relay import Relay
from tests.notifications.order_context import CONTEXT


class Inbox:
    """A mail server's messages."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        message = BytesParser(policy=default_policy).parsebytes(envelope.original_content or b"")
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def copies(self, job: Notification) -> int:
        return sum(str(job.pk) in message["Message-ID"] for message in self.messages)


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


def database_url() -> str:
    """Return the URL of the database that this test process uses."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"


@contextmanager
def running_worker(
    name: str,
    *,
    environment: Mapping[str, str],
    log: Path,
    application: str = "project",
    queue: str | None = None,
    code: Path = ROOT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of `bin/up`'s workers for the length of the block, frozen or not at its end."""
    argv = [*next(service for service in WORKERS if service.name == name).argv]
    argv[argv.index("-A") + 1] = application
    argv[argv.index("-Q") + 1] = queue or name
    with open(log, "ab") as file:
        process = subprocess.Popen(
            argv, env={**os.environ, **environment}, cwd=code, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_relay(relay: Relay) -> Iterator[None]:
    """Run the relay in a thread for the length of the block."""
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join(20)
        assert not thread.is_alive()


class PurgingPublisher(Publisher):
    """A publisher that can also empty a queue."""

    def empty(self, queue: str) -> None:
        self.queue_length(queue)
        assert self._producer is not None
        self._producer.channel.queue_purge(queue)


def email() -> Notification:
    [message] = order_messages(
        event="order_placed",
        order_id=uuid4(),
        context=CONTEXT,
        email="zoe@example.org",
        phone="",
        language="en",
    )
    message.save(force_insert=True)
    return message


def picture() -> MediaJob:
    job = pickup_pass_job(order_id=uuid4(), context=CONTEXT)
    job.save(force_insert=True)
    return job


def is_done(job: Job) -> bool:
    job.refresh_from_db()
    return job.status == Status.DONE

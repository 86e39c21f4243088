"""`manage.py mailbox`: a mail server and an SMS gateway that store all messages of a local run."""

import logging
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications.mailbox.endpoints import http_endpoint, smtp_endpoint
from notifications.mailbox.receipts import Reporter
from notifications.mailbox.store import Mailbox

POLL_SECONDS = 0.1
"""The interval at which the SMS endpoint checks for a stop."""


class Command(BaseCommand):
    help = (
        "Keep the e-mails and SMS of a local run for /mailbox/ instead of sending them. "
        "Listens on this machine, at MAILBOX_SMTP_PORT and MAILBOX_HTTP_PORT."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TANDEM_LOCAL:
            raise CommandError("The mailbox is for local runs: set TANDEM_LOCAL=1.")
        smtp_port, http_port = _port("MAILBOX_SMTP_PORT"), _port("MAILBOX_HTTP_PORT")
        stop = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: stop.set())
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs every command
        reporter = Reporter(port=int(os.environ.get("PORT") or 8000))
        mailbox = Mailbox(tell=reporter.tell if settings.RECEIPT_SECRETS else None)
        try:
            sms = http_endpoint(mailbox, port=http_port)
            mail = smtp_endpoint(mailbox, port=smtp_port)
            mail.start()
        except OSError as error:
            raise CommandError(f"Ports {smtp_port} and {http_port}: {error.strerror}") from error
        threading.Thread(
            target=sms.serve_forever, args=(POLL_SECONDS,), name="sms-endpoint", daemon=True
        ).start()
        reporter.start()
        self.stdout.write(f"E-mail on port {smtp_port}, SMS on port {http_port}.")
        self.stdout.flush()  # the reader of this line waits at a pipe
        stop.wait()
        mail.stop()
        sms.shutdown()
        sms.server_close()


def _port(name: str) -> int:
    value = os.environ.get(name, "")
    if not value.isdecimal():
        raise CommandError(f"{name} is not set: name a free port of this machine.")
    return int(value)

"""Django's SMTP backend, bounded in time, and knowing how far a message came."""

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.deadline import Deadline

QUIT_SECONDS = 1.0
START_MAIL_INPUT = 354


class SmtpConnection(smtplib.SMTP):
    """An SMTP client whose every read and write ends at the deadline."""

    deadline: Deadline
    last_code = 0
    last_words = ""

    @property
    def awaits_verdict(self) -> bool:
        """The server asked for the message and has not said what became of it."""
        return self.last_code == START_MAIL_INPUT

    def send(self, s: Any) -> None:
        if self.sock:
            self.sock.settimeout(self.deadline.remaining())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = self.deadline.reader(self.sock)
        code, words = super().getreply()
        self.last_code, self.last_words = code, words.decode(errors="replace")
        return code, words

    def quit(self) -> tuple[int, bytes]:
        # The message is delivered or refused by now: a slow goodbye must not hold a worker.
        self.deadline.shorten(QUIT_SECONDS)
        return super().quit()


class SmtpsConnection(smtplib.SMTP_SSL, SmtpConnection):
    """The same, encrypted from the first byte."""


class SmtpBackend(EmailBackend):
    """Reads the same EMAIL_… settings as Django's own backend."""

    connection: SmtpConnection | None

    def __init__(self, *, deadline: Deadline) -> None:
        super().__init__(timeout=deadline.connect_timeout())
        self._deadline = deadline

    @property
    def connection_class(self) -> type[SmtpConnection]:
        # smtplib connects in its constructor: what bounds it has to be there before.
        connection = SmtpsConnection if self.use_ssl else SmtpConnection
        return type(connection.__name__, (connection,), {"deadline": self._deadline})

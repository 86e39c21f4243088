"""Django's SMTP backend with a deadline; it records whether a message may have been accepted.

Each thread keeps its connection for some seconds, so that a backlog doesn't need a greeting, TLS
and login for each message.
"""

import smtplib
import threading
import time
from contextlib import suppress
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.deadline import Deadline
from notifications.channels.mime import as_bytes, wire_address

QUIT_SECONDS = 1.0
START_MAIL_INPUT = 354
KEEP_SECONDS = 10.0
"""Few: a server or a firewall may drop an older connection without notice."""
MAX_MESSAGES = 100
"""Messages by one connection: a usual limit of mail programs, because some servers close then."""


class SmtpConnection(smtplib.SMTP):
    """An SMTP client whose every read and write ends at the deadline."""

    deadline: Deadline
    last_code = 0
    verdict: tuple[int, str] | None = None
    """Code and words that came after the message, if something came."""
    sent = 0
    used_at = 0.0

    def renew(self, deadline: Deadline) -> None:
        """Prepare for another message, with its own deadline."""
        self.deadline = deadline
        self.last_code, self.verdict = 0, None
        if self.file is not None:
            self.file.close()  # it has the last message's deadline
            self.file = None

    @property
    def awaits_verdict(self) -> bool:
        """True if the server asked for the message's data and hasn't replied to them."""
        return self.last_code == START_MAIL_INPUT

    def send(self, s: Any) -> None:
        if self.sock:
            self.sock.settimeout(self.deadline.remaining())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = self.deadline.reader(self.sock)
        code, words = super().getreply()
        if self.awaits_verdict and self.verdict is None:  # not what RSET or QUIT is answered
            self.verdict = code, words.decode(errors="replace")
        self.last_code = code
        return code, words

    def quit(self) -> tuple[int, bytes]:
        # The message is accepted or refused by now: a slow QUIT must not delay a worker.
        self.deadline.shorten(QUIT_SECONDS)
        return super().quit()

    def __del__(self) -> None:
        self.close()  # its thread has ended


class SmtpsConnection(smtplib.SMTP_SSL, SmtpConnection):
    """The same with TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """The backend; it reads the same EMAIL_… settings as Django's own."""

    connection: SmtpConnection | None

    def __init__(self, *, deadline: Deadline) -> None:
        super().__init__(timeout=deadline.connect_timeout())
        self._deadline = deadline

    def take_kept(self) -> bool:
        """Use the connection that this thread has kept, if it has one to this server."""
        connection, server = _kept.connection, _kept.server
        _kept.connection = None
        if connection is None:
            return False
        is_fresh = time.monotonic() - connection.used_at < KEEP_SECONDS
        connection.renew(self._deadline)
        self.connection = connection
        if server == self._server and is_fresh and connection.sent < MAX_MESSAGES:
            return True
        self.part()
        return False

    def keep(self) -> None:
        """Keep the connection for this thread's next message."""
        assert self.connection is not None
        self.connection.sent += 1
        self.connection.used_at = time.monotonic()
        _kept.connection, _kept.server = self.connection, self._server
        self.connection = None

    def part(self) -> None:
        """Send QUIT; its errors are ignored."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        connection.deadline = Deadline(QUIT_SECONDS)
        with suppress(smtplib.SMTPException, OSError):
            connection.quit()
        connection.close()

    def _send(self, email_message: EmailMessage) -> bool:
        """Offer the message. Raises what smtplib says, SMTPNotSupportedError among it."""
        assert self.connection is not None
        [recipient] = email_message.to
        sender = wire_address(parseaddr(email_message.from_email)[1])
        recipient = wire_address(recipient)
        self.connection.ehlo_or_helo_if_needed()
        options: tuple[str, ...] = ()
        if not recipient.isascii():
            # RFC 6531, 3.1: a server that offers one of them offers both.
            options = ("SMTPUTF8", "BODY=8BITMIME")
            if not all(map(self.connection.has_extn, ("smtputf8", "8bitmime"))):
                raise smtplib.SMTPNotSupportedError("no SMTPUTF8")
        content = as_bytes(email_message.message())
        self.connection.sendmail(sender, [recipient], content, mail_options=options)
        return True

    @property
    def _server(self) -> tuple[Any, ...]:
        keys = (self.username, self.password, self.use_tls, self.use_ssl)
        return (self.host, self.port, *keys)

    @property
    def connection_class(self) -> type[SmtpConnection]:
        # smtplib connects in its constructor: the deadline must be set before.
        connection = SmtpsConnection if self.use_ssl else SmtpConnection
        return type(connection.__name__, (connection,), {"deadline": self._deadline})


class _Kept(threading.local):
    connection: SmtpConnection | None = None
    server: tuple[Any, ...] = ()


_kept = _Kept()

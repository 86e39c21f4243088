"""E-mail, by the backend that EMAIL_URL chooses.

An error before the message is offered (connection, TLS, login) isn't about the message: the
provider is down. From then on the server's code decides: 4xx transient, 5xx permanent (RFC 5321,
4.2.1). A server that doesn't answer, closes (421) or reports its own state (4.3.x, RFC 3463) is
down, too. A refusal of our password or of our sender's address would meet every message: the
server refuses us.
"""

import re
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext_noop

from notifications.channels import mime
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    ProviderDownError,
    Receipt,
    RefusesUsError,
)
from notifications.channels.smtp import SmtpBackend
from project.email_addresses import ascii_domain
from project.jobs.errors import PermanentError, TransientError

SMTP = "django.core.mail.backends.smtp.EmailBackend"
CLOSING = 421
OF_THE_SYSTEM = re.compile(r"4\.3\.\d")
OF_OUR_PASSWORD = frozenset({530, 534, 535, 538})
"""Codes that ask for a login, or refuse ours, at any step (RFC 4954, 6)."""
OF_OUR_PASSWORD_TOO = re.compile(r"5\.7\.(8|9|11)\b")
TOO_LARGE = re.compile(r"(552|523) |\d+ 5\.3\.4\b")
"""A refusal at MAIL of the message's size; any other refusal there is of the sender."""
OF_OUR_QUOTA = re.compile(r"[45]\.4\.5\b")
"""What large providers say when an account has sent too much today; no message is the cause."""
OF_OUR_DOMAIN = re.compile(r"5\.7\.2[0-7]\b")
"""SPF, DKIM, DMARC or the host's name in DNS fail (RFC 7372, 3, and 5.7.27, RFC 7505)."""
RELAYING = re.compile(r"\brelay", re.IGNORECASE)
OUR_PASSWORD = gettext_noop("refuses our user or password")
OUR_ADDRESS = gettext_noop("refuses DEFAULT_FROM_EMAIL as a sender")
OUR_QUOTA = gettext_noop("takes no more mail from us for now")
OUR_DOMAIN = gettext_noop("refuses mail of our domain: check its SPF, DKIM and DMARC")
OUR_MAIL = gettext_noop("takes no mail for others from us")
NO_SMTPUTF8 = (
    "the mail server takes no address with letters beyond ASCII before the @: it doesn't offer"
    " SMTPUTF8"
)


def repeats_are_safe(url: str) -> bool:
    """A second copy has the same Message-ID: many mail programs show only one."""
    return True


def send(message: Message, *, url: str, deadline: Deadline) -> Receipt:
    """Send the e-mail to the mail server of the settings (`url` is unused); return its answer.

    Raises TransientError, PermanentError with the server's reply, ProviderDownError or
    NoAnswerError.
    """
    email = _email(message)
    if settings.EMAIL_BACKEND == SMTP:
        answer = _send_by_smtp(email, SmtpBackend(deadline=deadline), deadline=deadline)
    else:
        answer = _send_by(email, get_connection())
    return Receipt(provider_id=email.message_id, answer=answer)


class Email(EmailMultiAlternatives):
    """The message as Django's backends take it, written by `mime`."""

    def __init__(self, message: Message) -> None:
        super().__init__(subject=message.subject, body=message.text, to=[message.recipient])
        if message.html:
            self.attach_alternative(message.html, "text/html")
        self.message_id = f"<{message.id}@{sender_domain()}>"
        self.written = mime.written(message, sender=self.from_email, message_id=self.message_id)

    def message(self, **_options: Any) -> Any:
        return self.written


def sender_domain() -> str:
    """Return the sender's domain: a Message-ID must not change with the sending host."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return ascii_domain(address.rpartition("@")[2] or "localhost")


def _email(message: Message) -> Email:
    """Return the e-mail. Raises PermanentError for an address or a header that none can have."""
    try:
        return Email(message)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _send_by_smtp(email: Email, backend: SmtpBackend, *, deadline: Deadline) -> str:
    """Send it by the kept connection; if there is none or it is dead, by a new one."""
    if backend.take_kept():
        with suppress(ProviderDownError):  # the kept connection is outdated: try a new one
            return _hand_over(email, backend, deadline=deadline)
    try:
        backend.open()
    except (smtplib.SMTPException, OSError) as error:
        backend.part()
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            raise RefusesUsError(f"{OUR_PASSWORD} ({_words(error)})") from error
        raise ProviderDownError(f"mail server: {_words(error)}") from error
    return _hand_over(email, backend, deadline=deadline)


def _hand_over(email: Email, backend: SmtpBackend, *, deadline: Deadline) -> str:
    connection = backend.connection
    assert connection is not None  # open() gives one or raises
    try:
        deadline.remaining()
        backend.send_messages([email])
    except (smtplib.SMTPException, OSError) as error:
        # Read before QUIT, which has a reply of its own.
        in_doubt, verdict = connection.awaits_verdict, connection.verdict
        backend.part()
        if in_doubt or (verdict and not 200 <= verdict[0] <= 299 and not 400 <= verdict[0] <= 599):
            raise NoAnswerError(f"no answer after DATA: {_words(error)}") from error
        if verdict is None or verdict[0] >= 400:
            raise error_for(error) from error
    else:
        verdict = connection.verdict
        backend.keep()
    assert verdict is not None  # it was read after the message, or an error was raised
    return f"{verdict[0]} {verdict[1]}"


def _send_by(email: Email, backend: BaseEmailBackend) -> str:
    """Send by any other backend, which can't tell whether a failed message was accepted."""
    try:
        backend.send_messages([email])
    except (smtplib.SMTPException, OSError) as error:
        raise NoAnswerError(_words(error)) from error
    return ""


def error_for(error: Exception) -> TransientError | PermanentError:
    """Return what the server's refusal, or its silence, means for the message."""
    code, words = _reply(error)
    said = _words(error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return PermanentError(NO_SMTPUTF8)
    if code in OF_OUR_PASSWORD or OF_OUR_PASSWORD_TOO.match(words):
        return RefusesUsError(f"{OUR_PASSWORD} ({said})")
    if OF_OUR_QUOTA.match(words):
        return RefusesUsError(f"{OUR_QUOTA} ({said})")
    if OF_OUR_DOMAIN.match(words):
        return RefusesUsError(f"{OUR_DOMAIN} ({said})")
    if isinstance(error, smtplib.SMTPSenderRefused) and code >= 500 and not TOO_LARGE.match(said):
        return RefusesUsError(f"{OUR_ADDRESS} ({said})")
    if code >= 500 and RELAYING.search(words):
        return RefusesUsError(f"{OUR_MAIL} ({said})")
    if isinstance(error, smtplib.SMTPHeloError) or code in (0, CLOSING):
        return ProviderDownError(said)
    if OF_THE_SYSTEM.match(words):
        return ProviderDownError(said)
    return (PermanentError if 500 <= code <= 599 else TransientError)(said)


def _words(error: Exception) -> str:
    """Return the server's code and text if it replied, else our error."""
    code, words = _reply(error)
    return f"{code} {words}" if code else str(error) or type(error).__name__


def _reply(error: Exception) -> tuple[int, str]:
    """Return the server's last reply from smtplib's error; (0, "") if there was none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, words)] = error.recipients.values()  # each message has one recipient
        return code, words.decode(errors="replace")
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return error.smtp_code, said if isinstance(said, str) else said.decode(errors="replace")
    return 0, ""

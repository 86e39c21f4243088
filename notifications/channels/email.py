"""E-mail, by the backend that EMAIL_URL chooses.

An error before the message is offered (connection, TLS, login) isn't about the message: the
provider is down. From then on the server's code decides: 4xx transient, 5xx permanent (RFC 5321,
4.2.1). A server that doesn't answer, closes (421) or reports its own state (4.3.x, RFC 3463) is
down, too.
"""

import re
import smtplib
from contextlib import suppress
from email.mime.image import MIMEImage
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import SafeMIMEMultipart
from django.utils.encoding import punycode

from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Attachment,
    Message,
    NoAnswerError,
    ProviderDownError,
    Receipt,
)
from notifications.channels.smtp import SmtpBackend
from project.jobs.errors import PermanentError, TransientError

SMTP = "django.core.mail.backends.smtp.EmailBackend"
CLOSING = 421
OF_THE_SYSTEM = re.compile(r"4\.3\.\d")


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
    return Receipt(provider_id=email.extra_headers["Message-ID"], answer=answer)


class IllustratedEmail(EmailMultiAlternatives):
    """An e-mail whose HTML shows pictures from its own parts (RFC 2387, RFC 2392)."""

    pictures: tuple[Attachment, ...] = ()

    def _create_alternatives(self, msg: Any) -> Any:
        body = super()._create_alternatives(msg)  # type: ignore[misc]
        if not self.pictures:
            return body
        related = SafeMIMEMultipart(_subtype="related")
        related.attach(body)
        for picture in self.pictures:
            part = MIMEImage(picture.content, picture.kind.partition("/")[2])
            part["Content-ID"] = f"<{picture.cid}>"
            part.add_header("Content-Disposition", "inline", filename=picture.name)
            related.attach(part)
        return related


def _email(message: Message) -> EmailMultiAlternatives:
    email = IllustratedEmail(
        subject=message.subject,
        body=message.text,
        to=[message.recipient],
        headers={
            "Message-ID": f"<{message.id}@{sender_domain()}>",
            # Prevents out-of-office replies and mail loops (RFC 3834).
            "Auto-Submitted": "auto-generated",
            **_unsubscribing(message.unsubscribe_url),
        },
    )
    if message.html:
        email.attach_alternative(message.html, "text/html")
    email.pictures = tuple(file for file in message.attachments if file.cid)
    for file in message.attachments:
        if not file.cid:
            email.attach(file.name, file.content, file.kind)
    return email


def _unsubscribing(url: str) -> dict[str, str]:
    """Return the headers by which mail programs offer to unsubscribe; one click needs https."""
    if not url:
        return {}
    one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return {"List-Unsubscribe": f"<{url}>", **(one_click if url.startswith("https://") else {})}


def sender_domain() -> str:
    """Return the sender's domain: a Message-ID must not change with the sending host."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return punycode(address.rpartition("@")[2] or "localhost")


def _send_by_smtp(
    email: EmailMultiAlternatives, backend: SmtpBackend, *, deadline: Deadline
) -> str:
    """Send it by the kept connection; if there is none or it is dead, by a new one."""
    if backend.take_kept():
        with suppress(ProviderDownError):  # the kept connection is outdated: try a new one
            return _hand_over(email, backend, deadline=deadline)
    try:
        backend.open()
    except (smtplib.SMTPException, OSError) as error:
        backend.part()
        raise ProviderDownError(f"mail server: {_words(error)}") from error
    return _hand_over(email, backend, deadline=deadline)


def _hand_over(email: EmailMultiAlternatives, backend: SmtpBackend, *, deadline: Deadline) -> str:
    connection = backend.connection
    assert connection is not None  # open() gives one or raises
    try:
        deadline.remaining()
        backend.send_messages([email])
    except (smtplib.SMTPException, OSError) as error:
        # Read before QUIT, which has a reply of its own.
        in_doubt = connection.awaits_verdict
        backend.part()
        if in_doubt:
            raise NoAnswerError(f"no answer after DATA: {_words(error)}") from error
        raise error_for(error) from error
    answer = f"{connection.last_code} {connection.last_words}"
    backend.keep()
    return answer


def _send_by(email: EmailMultiAlternatives, backend: BaseEmailBackend) -> str:
    """Send by any other backend, which can't tell whether a failed message was accepted."""
    try:
        backend.send_messages([email])
    except (smtplib.SMTPException, OSError) as error:
        raise NoAnswerError(_words(error)) from error
    return ""


def error_for(error: Exception) -> TransientError | PermanentError:
    """Return what the server's refusal, or its silence, means for the message."""
    code, words = _reply(error)
    # SMTPNotSupportedError: the address needs an extension of SMTP that this server lacks.
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return PermanentError(_words(error))
    if isinstance(error, smtplib.SMTPHeloError) or code in (0, CLOSING):
        return ProviderDownError(_words(error))
    if OF_THE_SYSTEM.match(words):
        return ProviderDownError(_words(error))
    return (PermanentError if 500 <= code <= 599 else TransientError)(_words(error))


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

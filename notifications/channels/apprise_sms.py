"""SMS by one of apprise's services: `apprise+` before its URL, `{to}` for the phone number.

For example `apprise+twilio://SID:TOKEN@+15550100/{to}`; see apprise's documentation for others.
apprise returns success or failure, and its log the reason: a failure is transient with that
line, unless the status in it is about us or about the gateway; a host that can't be reached is a
provider that is down. A number that the service doesn't take is refused for good (`_is_dropped`).
A send without an answer is in doubt, and because apprise passes no keys on, only an operator may
send a message twice.

apprise has no limit for a whole send, so it runs in a thread that is left alone at the deadline;
its own timeouts end it.
"""

import logging
import re
import threading
from typing import Any
from urllib.parse import quote

from notifications.channels import http
from notifications.channels.deadline import CONNECT_SECONDS, Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    NotAskedError,
    ProviderDownError,
    Receipt,
)
from project.jobs.errors import PermanentError, TransientError

PREFIX = "apprise+"
RECIPIENT = "{to}"
LONGEST_ANSWER = 30.0
"""Seconds that apprise waits for an answer: longer than any deadline, which comes first."""
BROKEN_OFF = "Socket Exception: "
SECRET_PART = re.compile(r" with url: \S+")  # some services have their key in it
STATUS = re.compile(r"\berror=(\d{3})\b")
"""The form in which apprise's services log the status of a refusal."""
NOT_CONNECTED = re.compile(
    "NewConnectionError|ConnectTimeout|Failed to establish a new connection|NameResolutionError"
    "|Failed to resolve|CERTIFICATE_VERIFY_FAILED"
)


def repeats_are_safe(url: str) -> bool:
    """apprise passes on no key by which a gateway could recognise a repeated message."""
    return False


def send(message: Message, *, url: str, deadline: Deadline) -> Receipt:
    """Send the SMS by apprise. It returns no id, so the receipt has none.

    Raises NotAskedError for a URL that apprise doesn't understand, PermanentError for a number that
    the service doesn't take, TransientError, RefusesUsError or ProviderDownError with the last line
    of its log, or NoAnswerError.
    """
    service = _service(url, message.recipient)
    if service is None:
        raise NotAskedError("SMS_URL: apprise doesn't understand the URL")
    if _is_dropped(service):
        raise PermanentError("apprise's service doesn't take the number, as too short or invalid")
    service.socket_connect_timeout = CONNECT_SECONDS
    service.socket_read_timeout = LONGEST_ANSWER
    attempt = _Attempt(service, message.text)
    attempt.start()
    attempt.join(deadline.remaining())
    if attempt.is_alive():
        raise NoAnswerError("no answer from the SMS gateway: timed out")
    if attempt.is_sent:
        return Receipt(provider_id="", answer=attempt.last_line)
    if NOT_CONNECTED.search(attempt.broken_off):
        raise ProviderDownError(f"{attempt.last_line} {attempt.broken_off}")
    if attempt.broken_off:
        raise NoAnswerError(f"no answer from the SMS gateway: {attempt.broken_off}")
    raise _refusal(attempt.last_line or "apprise says no, and not why")


def _refusal(line: str) -> TransientError:
    """Return what the line of a no means, as the error to raise."""
    status = STATUS.search(line)
    if status is None:
        return TransientError(line)
    refusal = http.refusal(int(status[1]), line)
    # apprise has one line for all that is wrong with a message and with the moment.
    return refusal if isinstance(refusal, TransientError) else TransientError(line)


def is_understood(url: str) -> bool:
    """Tell whether apprise knows the service and the URL is complete."""
    return _service(url, "+15550100") is not None


def _service(url: str, recipient: str) -> Any:
    from apprise import Apprise  # a slow import: only for configurations with such a gateway

    return Apprise.instantiate(
        url.removeprefix(PREFIX).replace(RECIPIENT, quote(recipient, safe=""))
    )


def _is_dropped(service: Any) -> bool:
    """Tell whether the service has dropped the number while it read the URL.

    Most of them drop numbers of fewer than ten digits, which the Faroe Islands, Greenland, Andorra
    and others have. Asked all the same, some (Twilio, Vonage, Sinch) send the text to the sender's
    own number and say yes. Services for more than telephone numbers have no `targets`.
    """
    return getattr(service, "targets", None) == []


class _Attempt(threading.Thread):
    """One send, and apprise's log lines about it. It touches no database."""

    def __init__(self, service: Any, text: str) -> None:
        super().__init__(name="apprise", daemon=True)
        self._service, self._text = service, text
        self.is_sent = False
        self.last_line = ""
        self.broken_off = ""
        """The error of the connection or of apprise itself, if there was one."""

    def run(self) -> None:
        lines = _Lines(self)
        logger = logging.getLogger("apprise")
        logger.addHandler(lines)
        try:
            self.is_sent = bool(self._service.notify(body=self._text))
        except Exception as error:
            self.broken_off = f"{type(error).__name__}: {error}"
        finally:
            logger.removeHandler(lines)


class _Lines(logging.Handler):
    """Takes the log lines of one attempt's thread. apprise logs connection errors at DEBUG only."""

    def __init__(self, attempt: _Attempt) -> None:
        super().__init__(logging.DEBUG)
        self._attempt = attempt

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._attempt.ident:
            return
        line = " ".join(record.getMessage().split())[:300]
        if record.levelno >= logging.INFO:
            self._attempt.last_line = line
        elif line.startswith(BROKEN_OFF):
            self._attempt.broken_off = SECRET_PART.sub("", line.removeprefix(BROKEN_OFF))

"""One HTTP request with a deadline, whose errors tell whether it may have been received.

It uses the standard library's client, because its steps are separate: a request that fails before
it is written was surely not received, one that fails later may have been.
"""

import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message as HeaderFields
from email.utils import parsedate_to_datetime
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any
from urllib.parse import SplitResult, unquote

from django.utils.translation import gettext_noop

from notifications.channels.deadline import Deadline
from notifications.channels.message import NoAnswerError, ProviderDownError, RefusesUsError
from project.jobs.errors import PermanentError, TransientError

Connect = Callable[..., socket.socket]
"""As `socket.create_connection`: with (host, port), the timeout and a source address."""
MAX_ANSWER = 64 * 1024  # bytes
LONGEST_RETRY_AFTER = timedelta(hours=1)
"""A gateway that asks for more is asked again after this time: the account may have been mended."""
TELLS_WHEN = frozenset({429, 503})
"""The statuses whose Retry-After tells when to ask again (RFC 9110 10.2.3, RFC 6585 4)."""
BUSY = frozenset({408, 425, 429})
LOST_BEHIND_PROXY = frozenset({502, 504, 520, 524})
"""A proxy in front of the gateway lost it after passing the request on.

520 and 524 are Cloudflare's: the gateway's answer could not be read, or did not come in time.
"""
OF_US = {
    401: gettext_noop("refuses our key"),
    402: gettext_noop("wants to be paid first"),
    403: gettext_noop("refuses us"),
    404: gettext_noop("wrong address"),
    405: gettext_noop("wrong address"),
    406: gettext_noop("refuses our kind of request"),
    407: gettext_noop("a proxy before it refuses us"),
    410: gettext_noop("wrong address"),
    411: gettext_noop("refuses our kind of request"),
    415: gettext_noop("refuses our kind of request"),
    421: gettext_noop("wrong address"),
    426: gettext_noop("refuses our kind of request"),
    431: gettext_noop("refuses our kind of request"),
    511: gettext_noop("a proxy before it refuses us"),
}
"""The meaning of statuses that concern our account or address, not the message."""
REDIRECTS = gettext_noop("wrong address: it sends us elsewhere")


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: bytes
    headers: HeaderFields = field(default_factory=HeaderFields)

    @property
    def words(self) -> str:
        """Status and beginning of the body, on one line."""
        excerpt = " ".join(self.body.decode(errors="replace").split())[:300]
        return f"{self.status} {excerpt or self.reason}"

    @property
    def retry_after(self) -> timedelta | None:
        """How long the other side asks not to be asked again, an hour at most; None: it doesn't."""
        return self.wait_asked_for(longest=LONGEST_RETRY_AFTER)

    def wait_asked_for(self, *, longest: timedelta) -> timedelta | None:
        """Return how long the other side asks not to be asked again; None: it doesn't."""
        if self.status not in TELLS_WHEN:
            return None
        said = (self.headers.get("Retry-After") or "").strip()
        if said.isascii() and said.isdecimal():
            wait = timedelta(seconds=min(int(said[:9]), 10**6))
        else:
            try:
                wait = _moment(said) - self._sent_at
            except ValueError:
                return None
        return max(timedelta(0), min(wait, longest))

    @property
    def _sent_at(self) -> datetime:
        """By the other side's clock, which its dates follow; by ours if it doesn't say."""
        try:
            return _moment(self.headers.get("Date") or "")
        except ValueError:
            return datetime.now(UTC)

    def refusal(self) -> TransientError | PermanentError:
        """Return what a status means that is no yes, as the error to raise."""
        return refusal(self.status, self.words, retry_after=self.retry_after)


def refusal(
    status: int, words: str, *, retry_after: timedelta | None = None
) -> TransientError | PermanentError:
    """Return what a status means that is no yes, as the error to raise with the words."""
    if status in LOST_BEHIND_PROXY:
        return NoAnswerError(words)
    if status <= 199 or 300 <= status <= 399:
        return RefusesUsError(f"{REDIRECTS} ({words})")
    if status in OF_US:
        return RefusesUsError(f"{OF_US[status]} ({words})")
    if status in BUSY or status >= 500:
        return ProviderDownError(words, retry_after=retry_after)
    return PermanentError(words)


def target(url: SplitResult) -> str:
    """Return the URL's path and query, as a request names them."""
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def json_headers(url: SplitResult, *, key: str) -> dict[str, str]:
    """Return the headers of a JSON request that may be repeated under its key.

    The URL's user and password are sent as basic authentication.
    """
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "Tandem",
        "Idempotency-Key": key,
    }
    if url.username:
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    return headers


def post(
    url: SplitResult,
    *,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    deadline: Deadline,
    whom: str = "SMS gateway",
    connect: Connect = socket.create_connection,
) -> Answer:
    """Send the request to the URL's host and return the answer, of any status.

    `whom` is who is asked, for the errors' words. `connect` opens the connection. Raises
    ProviderDownError if it surely wasn't received, NoAnswerError if it may have been.
    """
    connection = bounded_connection(url, deadline)
    connection._create_connection = connect  # type: ignore[attr-defined]  # its only way in
    try:
        try:
            connection.timeout = deadline.connect_timeout()
            connection.connect()
        except OSError as error:
            raise ProviderDownError(f"{whom}: {error}") from error
        try:
            connection.sock.settimeout(deadline.remaining())
            connection.request("POST", target, body, dict(headers))
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            words = str(error) or type(error).__name__
            raise NoAnswerError(f"no answer from the {whom}: {words}") from error
        with response:
            return Answer(response.status, response.reason, _body(response), response.headers)
    finally:
        connection.close()


class _FinalResponse(HTTPResponse):
    """The answer behind any interim ones: 102 and 103 may come before it (RFC 9110 15.2).

    The standard library passes over 100 alone. An interim answer taken for the last one would make
    a message that was sent look as if it wasn't.
    """

    def begin(self) -> None:
        super().begin()
        while 102 <= self.status <= 199:  # 101 is a last one: another protocol follows it
            self.headers = self.msg = None  # type: ignore[assignment]  # unset: begin() reads on
            super().begin()


def bounded_connection(url: SplitResult, deadline: Deadline) -> HTTPConnection:
    """Return a connection to the URL's host whose answers are read until the deadline only."""
    assert url.hostname is not None
    connection: HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(url.hostname, url.port, context=context)
    else:
        connection = HTTPConnection(url.hostname, url.port)

    def bounded_response(sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = _FinalResponse(sock, *args, **kwargs)
        unbounded, response.fp = response.fp, deadline.reader(sock)
        unbounded.close()
        return response

    connection.response_class = bounded_response  # type: ignore[assignment]
    return connection


def _moment(date: str) -> datetime:
    """Return the moment of an HTTP-date. Raises ValueError."""
    try:
        moment = parsedate_to_datetime(date)
    except OverflowError as error:
        raise ValueError(date) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _body(response: HTTPResponse) -> bytes:
    try:
        return response.read(MAX_ANSWER)
    except IncompleteRead as error:
        return error.partial
    except (OSError, HTTPException, ValueError):  # ValueError: a chunk of negative length
        return b""  # the status suffices

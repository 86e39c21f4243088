"""One HTTP request with a deadline, whose errors tell whether it may have been received.

It uses the standard library's client, because its steps are separate: a request that fails before
it is written was surely not received, one that fails later may have been.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult

from notifications.channels.deadline import Deadline
from notifications.channels.message import NoAnswerError, ProviderDownError

MAX_ANSWER = 64 * 1024  # bytes


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: bytes

    @property
    def words(self) -> str:
        """Status and beginning of the body, on one line."""
        excerpt = " ".join(self.body.decode(errors="replace").split())[:300]
        return f"{self.status} {excerpt or self.reason}"


def post(
    url: SplitResult, *, target: str, body: bytes, headers: Mapping[str, str], deadline: Deadline
) -> Answer:
    """Send the request to the URL's host and return the answer, of any status.

    Raises ProviderDownError if it surely wasn't received, NoAnswerError if it may have been.
    """
    connection = _connection(url, deadline)
    try:
        try:
            connection.timeout = deadline.connect_timeout()
            connection.connect()
        except OSError as error:
            raise ProviderDownError(f"SMS gateway: {error}") from error
        try:
            connection.sock.settimeout(deadline.remaining())
            connection.request("POST", target, body, dict(headers))
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            words = str(error) or type(error).__name__
            raise NoAnswerError(f"no answer from the SMS gateway: {words}") from error
        with response:
            return Answer(response.status, response.reason, _body(response))
    finally:
        connection.close()


def _connection(url: SplitResult, deadline: Deadline) -> HTTPConnection:
    assert url.hostname is not None
    connection: HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(url.hostname, url.port, context=context)
    else:
        connection = HTTPConnection(url.hostname, url.port)

    def bounded_response(sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        response = HTTPResponse(sock, *args, **kwargs)
        unbounded, response.fp = response.fp, deadline.reader(sock)
        unbounded.close()
        return response

    connection.response_class = bounded_response  # type: ignore[assignment]
    return connection


def _body(response: HTTPResponse) -> bytes:
    try:
        return response.read(MAX_ANSWER)
    except (OSError, HTTPException):
        return b""  # the status suffices

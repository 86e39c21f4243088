"""SMS by any gateway that takes a JSON POST: `{"to": "+49…", "text": "…"}` at SMS_URL.

`Idempotency-Key` is the job's id: a gateway that honours it sends a repeated message once. One
that doesn't is named with `#no-keys` at the end of SMS_URL; it is never asked twice when the
first request may have been accepted. `https://user:password@…` is sent as basic authentication.

The standard library's client, because its steps can be told apart: what fails before the
request is written was surely not sent, what fails later may have been.
"""

import json
import socket
import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings

from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    ProviderDownError,
    Receipt,
)
from project.job_runs import PermanentError

NO_KEYS = "no-keys"
MAX_ANSWER = 64 * 1024  # bytes
BUSY = frozenset({408, 425, 429})
# A proxy in front of the gateway lost it after passing the request on.
LOST_BEHIND_PROXY = frozenset({502, 504})


def repeats_are_safe() -> bool:
    """Whether the gateway recognises a second request by its key."""
    return urlsplit(settings.SMS_URL).fragment != NO_KEYS


def send(message: Message, *, deadline: Deadline) -> Receipt:
    """Hand the SMS to the gateway and return its answer.

    Raises PermanentError or ProviderDownError with the gateway's words, or NoAnswerError.
    """
    url = urlsplit(settings.SMS_URL)
    if not url.hostname:
        raise PermanentError("SMS_URL is not set: there is no gateway to ask")
    connection = _connection(url, deadline)
    try:
        try:
            connection.timeout = deadline.connect_timeout()
            connection.connect()
        except OSError as error:
            raise ProviderDownError(f"SMS gateway: {error}") from error
        try:
            connection.sock.settimeout(deadline.remaining())
            connection.request("POST", _target(url), _body(message), _headers(url, message))
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            words = str(error) or type(error).__name__
            raise NoAnswerError(f"no answer from the SMS gateway: {words}") from error
        with response:
            return _receipt(response)
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


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _body(message: Message) -> bytes:
    return json.dumps({"to": message.recipient, "text": message.text}).encode()


def _headers(url: SplitResult, message: Message) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "Tandem",
        "Idempotency-Key": str(message.id),
    }
    if url.username:
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    return headers


def _receipt(response: HTTPResponse) -> Receipt:
    try:
        body = response.read(MAX_ANSWER)
    except (OSError, HTTPException):
        body = b""  # the status has said it already
    words = f"{response.status} {_excerpt(body) or response.reason}"
    if 200 <= response.status <= 299:
        return Receipt(provider_id=_provider_id(body), answer=words)
    if response.status in LOST_BEHIND_PROXY:
        raise NoAnswerError(words)
    if response.status in BUSY or response.status >= 500:
        raise ProviderDownError(words)
    raise PermanentError(words)


def _excerpt(body: bytes) -> str:
    return " ".join(body.decode(errors="replace").split())[:300]


def _provider_id(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    found = answer.get("id") if isinstance(answer, dict) else None
    return str(found)[:200] if isinstance(found, str | int) else ""

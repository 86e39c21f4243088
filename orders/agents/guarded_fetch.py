"""Reading a document from an address that somebody else chose, without being led inside.

The connection is that of webhooks (`notifications.webhooks.addresses`): to checked, public
addresses only. Redirects aren't followed, and both size and time are bounded.
"""

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from notifications.webhooks import addresses

MOST_BYTES = 64 * 1024
SECONDS = 4.0
"""For the connection, and for each read: a platform is asked while its agent waits."""


class BadAddress(ValueError):
    """Nothing may be read from this address, whatever it answers."""


class Unreachable(Exception):
    """Nothing could be read from it now."""


def checked(url: str) -> SplitResult:
    """Return the parts of an address that may be read from. Raises BadAddress.

    Only https; in a local run this machine itself may be asked by http, as tests and demos do.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress("It isn't an address.") from error
    if not parts.hostname or parts.username or parts.password or port == 0:
        raise BadAddress("It isn't the address of a document.")
    if parts.scheme == "https" or _is_own_machine(parts):
        return parts
    raise BadAddress("It must begin with https.")


def fetch(url: str) -> bytes:
    """Return the document. Raises BadAddress and Unreachable."""
    parts = checked(url)
    connection = _connection(parts)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers={"Accept": "application/json"})
        with connection.getresponse() as response:
            if response.status != 200:
                raise Unreachable(f"It answered {response.status}.")
            body = response.read(MOST_BYTES + 1)
    except addresses.InsideAddressError as error:
        raise BadAddress("It leads into a private network.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(_in_words(error)) from error
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise Unreachable(f"It is longer than {MOST_BYTES} bytes.")
    return body


def _in_words(error: Exception) -> str:
    """Return why nothing could be read, in words that name nothing of this program."""
    match error:
        case TimeoutError():
            return "It took too long to answer."
        case ssl.SSLCertVerificationError():
            return "Its certificate isn't valid."
        case ssl.SSLError():
            return "No secure connection could be made."
        case socket.gaierror() | UnicodeError():
            return "Its name can't be found."
        case ConnectionRefusedError():
            return "It refuses connections."
        case HTTPException() | ValueError():
            return "Its answer can't be read."
        case _:
            return "It can't be reached."


def _is_own_machine(parts: SplitResult) -> bool:
    return bool(settings.TANDEM_LOCAL) and parts.hostname in ("127.0.0.1", "::1", "localhost")


def _connection(parts: SplitResult) -> HTTPConnection:
    """Return a connection that looks its name up once and goes to an address that was checked."""
    host = parts.hostname or ""
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)
        connect: Any = addresses.connect
    else:
        connection = HTTPConnection(host, parts.port, timeout=SECONDS)
        connect = addresses.connect_plain
    connection._create_connection = connect  # type: ignore[attr-defined]
    return connection

"""Reading a document from an address that somebody else chose, without being led inside.

The connection is that of webhooks (`notifications.webhooks.addresses`): to checked, public
addresses only. Redirects aren't followed, and both size and time are bounded.
"""

import socket
import ssl
from functools import partial
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from notifications.channels.deadline import Deadline
from notifications.channels.http import bounded_connection, target
from notifications.webhooks import addresses

MOST_BYTES = 64 * 1024
SECONDS = 4.0
"""For all of it, however slowly it answers: a platform is asked while a thread of ours waits."""
CONNECT_SECONDS = 2.0
"""For each address of its name: one that drops packets must leave time for the next."""


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
    deadline = Deadline(SECONDS)
    connection = _connection(parts, deadline)
    try:
        connection.request("GET", target(parts), headers={"Accept": "application/json"})
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


def _connection(parts: SplitResult, deadline: Deadline) -> HTTPConnection:
    """Return a connection that looks its name up once and goes to an address that was checked."""
    connection = bounded_connection(parts, deadline)
    connection.timeout = CONNECT_SECONDS
    is_tls = parts.scheme == "https"
    connection._create_connection = partial(  # type: ignore[attr-defined]
        addresses.connect, is_tls=is_tls, deadline=deadline
    )
    return connection

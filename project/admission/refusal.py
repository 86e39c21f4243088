"""What an order hears that is not let in.

A program's order gets bytes that the shop itself wrote when the process started: a rush of them
must cost nothing. A person's goes through the shop, marked, so nothing that was typed is lost.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

API_ORDERS = "/api/v1/orders"

_refused: ContextVar[bool] = ContextVar("refused", default=False)


def is_refused() -> bool:
    """Tell whether the order of this request was not let in: it is answered with "busy" at once."""
    return _refused.get()


@contextmanager
def refused() -> Iterator[None]:
    """Mark the request that is served in this block."""
    token = _refused.set(True)
    try:
        yield
    finally:
        _refused.reset(token)


def answer_to_programs(
    application: Callable[..., Iterable[bytes]], *, site_url: str
) -> bytes | None:
    """Return the shop's own answer to a refused order of the API, but for date and connection.

    None if the shop answers something else, as it does when it doesn't know the host of its own
    address: then each refused order goes through it.
    """
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
        said.append((status, headers))

    with refused():
        parts = application(_order_environ(site_url), start_response)
        body = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
    status, headers = said[-1]
    if not status.startswith("503 "):
        return None
    # The request's id is that of no refused order.
    kept = [f"{name}: {value}" for name, value in headers if name.lower() != "x-request-id"]
    lines = [f"HTTP/1.1 {status}", *kept]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _order_environ(site_url: str) -> dict[str, Any]:
    """Return the request of an order without a body: none is read."""
    url = urlsplit(site_url)
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": API_ORDERS,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": url.hostname or "localhost",
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "HTTP_X_FORWARDED_PROTO": url.scheme,  # in production a proxy says so, or it is redirected
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "0",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
    }

"""Reading a platform's profile: never from inside, never by a redirect, never without an end."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import BadStatusLine, HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orders.agents import guarded_fetch
from orders.agents.guarded_fetch import BadAddress, Unreachable, fetch

stopped = threading.Event()


class Answering(BaseHTTPRequestHandler):
    """Answers as the path says."""

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        self.send_response(302 if kind == "redirect" else 200)
        if kind == "redirect":
            self.send_header("Location", "/plain")
        self.end_headers()
        if kind == "drip":
            self._drip()
        self.wfile.write(b"x" * (guarded_fetch.MOST_BYTES + 1 if kind == "long" else 3))

    def _drip(self) -> None:
        """Send a byte again and again, so no single read takes long."""
        with suppress(OSError):
            while not stopped.wait(0.05):
                self.wfile.write(b"x")

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def server(settings: Any) -> Iterator[str]:
    settings.TANDEM_LOCAL = True
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        stopped.clear()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        stopped.set()
        running.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/profile",
        "ftp://example.com/profile",
        "https://user:password@example.com/profile",
        "https://",
        "https://[::1",
        "profile",
    ],
)
def test_only_https_is_read(url: str) -> None:
    with pytest.raises(BadAddress):
        fetch(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_name_that_leads_inside_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WEBHOOK_INSIDE = []  # a local run's has loopback
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    entry = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [entry])

    with pytest.raises(BadAddress, match="private network"):
        fetch("https://platform.example.com/profile")


def test_one_address_inside_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("93.184.216.34", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: entries)

    with pytest.raises(BadAddress):
        fetch("https://platform.example.com/profile")


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that changes between check and connection gains nothing: it isn't resolved again."""
    asked: list[Any] = []
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [entry])

    def connect(address: Any, *_args: Any) -> socket.socket:
        asked.append(address)
        raise OSError("refused")

    monkeypatch.setattr(socket, "create_connection", connect)

    with pytest.raises(Unreachable):
        fetch("https://platform.example.com/profile")
    assert asked == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "It refuses connections."),
        (TimeoutError("timed out"), "It took too long to answer."),
        (socket.gaierror(-2, "Name or service not known"), "Its name can't be found."),
        (ssl.SSLCertVerificationError("self-signed"), "Its certificate isn't valid."),
        (ssl.SSLError("WRONG_VERSION_NUMBER"), "No secure connection could be made."),
        (BadStatusLine("x"), "Its answer can't be read."),
        (OSError(113, "No route to host"), "It can't be reached."),
    ],
)
def test_a_failure_is_told_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def request(*_args: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(HTTPConnection, "request", request)

    with pytest.raises(Unreachable) as failed:
        fetch("https://platform.example.com/profile")
    assert str(failed.value) == told


def test_a_local_run_may_read_from_its_own_machine_and_production_may_not(
    server: str, settings: Any
) -> None:
    assert fetch(f"{server}/plain") == b"xxx"

    settings.TANDEM_LOCAL = False
    with pytest.raises(BadAddress):
        fetch(f"{server}/plain")


@pytest.mark.parametrize("path", ["redirect", "long"])
def test_a_redirect_and_an_endless_document_are_not_read(server: str, path: str) -> None:
    with pytest.raises(Unreachable):
        fetch(f"{server}/{path}")


def test_a_document_that_drips_does_not_hold_a_thread(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_fetch, "SECONDS", 0.5)
    began = time.monotonic()

    with pytest.raises(Unreachable, match="too long"):
        fetch(f"{server}/drip")
    assert time.monotonic() - began < 8

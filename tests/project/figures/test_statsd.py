"""StatsD's datagrams."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf.networks import udp_address
from project.figures import noting, statsd
from project.figures.noting import Counter, Gauge, Histogram

ORDERS = Counter("statsd_orders", "orders", labels=("source", "outcome"))
SECONDS = Histogram("statsd_seconds", "seconds", labels=("route",), bounds=(1,))
QUEUE = Gauge("statsd_queue", "queue")


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(statsd, "_socket", None)
    noting.forget()
    with socket.socket(type=socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(10)
        settings.STATSD_ADDRESS = heard.getsockname()
        yield heard
        if statsd._socket is not None:
            statsd._socket.close()


def test_what_was_counted_is_sent_with_its_labels(server: socket.socket) -> None:
    noting.count(ORDERS, "api", "placed")
    noting.count(ORDERS, "api", "placed")
    noting.observe(SECONDS, "orders/<uuid:pk>/|#,", value=0.25)
    noting.show(QUEUE, value=3)

    noting.flush()

    assert server.recv(4096).decode().splitlines() == [
        "statsd_orders:2|c|#source:api,outcome:placed",
        "statsd_seconds:0.25|h|#route:orders/<uuid_pk>/___",
        "statsd_queue:3|g",
    ]


def test_datagrams_are_short_enough_for_any_way(server: socket.socket) -> None:
    for number in range(100):
        noting.observe(SECONDS, f"a/rather/long/route/{number}", value=0.25)

    noting.flush()

    lines: list[str] = []
    while len(lines) < 100:
        datagram = server.recv(65_536)
        assert len(datagram) <= statsd.LONGEST
        lines += datagram.decode().splitlines()


def test_a_server_that_is_gone_costs_nothing_but_the_figures(server: socket.socket) -> None:
    server.close()

    for _each in range(3):  # the system tells of the first one at the second
        noting.count(ORDERS, "api", "placed")
        noting.flush()


@pytest.mark.parametrize("value", ["statsd.example.org:8125", "127.0.0.1", "127.0.0.1:0", "::1"])
def test_what_is_no_address_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATSD_ADDRESS", value)
    with pytest.raises(ImproperlyConfigured, match=r"^STATSD_ADDRESS: give an IP address"):
        udp_address("STATSD_ADDRESS")


def test_an_address_may_be_of_either_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATSD_ADDRESS", "[::1]:8125")
    assert udp_address("STATSD_ADDRESS") == ("::1", 8125)

"""The network of `bench placement`: late, in order, complete."""

import socket
import time
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from orders.benchmarks.placement.network_delay import network_delay


class Echo(BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def echo_port() -> Iterator[int]:
    with ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def answer(connection: socket.socket, sent: bytes) -> bytes:
    connection.sendall(sent)
    got = b""
    while len(got) < len(sent):
        got += connection.recv(65536)
    return got


@pytest.mark.parametrize("milliseconds", [0, 40])
def test_a_round_trip_takes_at_least_the_delay(echo_port: int, milliseconds: int) -> None:
    with (
        network_delay("127.0.0.1", echo_port, milliseconds) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        began = time.monotonic()
        for number in range(3):
            assert answer(connection, b"order %d" % number) == b"order %d" % number
        took = time.monotonic() - began

    assert took >= 3 * milliseconds / 1000


def test_many_bytes_arrive_in_order_and_both_ends_may_hang_up(echo_port: int) -> None:
    sent = b"".join(b"%07d" % number for number in range(20_000))

    with network_delay("127.0.0.1", echo_port, 2) as port:
        for _connection in range(2):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                assert answer(connection, sent) == sent
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(1) == b""

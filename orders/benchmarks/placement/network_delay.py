"""A loopback port that delays what passes between a client and a server: a network between them.

Run as a script, `network_delay.py HOST PORT MILLISECONDS`, it prints its port. Half of the delay
is each way, so a round trip takes so many milliseconds longer. What is sent in one go arrives in
one go: the delay costs time, never bandwidth.
"""

import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 20


@contextmanager
def network_delay(host: str, port: int, milliseconds: float) -> Iterator[int]:
    """Yield a port of 127.0.0.1 that leads to the server during the block."""
    process = subprocess.Popen(
        [sys.executable, __file__, host, str(port), str(milliseconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


class Proxy:
    """Passes bytes on after a while, in one thread."""

    def __init__(self, address: tuple[str, int], delay: float) -> None:
        self._address = address
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peers: dict[socket.socket, socket.socket] = {}
        self._due: deque[tuple[float, socket.socket, bytes]] = deque()
        """When which socket gets which bytes; none ends the connection. One delay for all, so the
        oldest is always the next."""

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Pass on until the process ends."""
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            # Not epoll, whose shortest wait is a millisecond.
            readable, _writable, _failed = select.select(
                [self._listener, *self._peers], [], [], wait
            )
            for ready in readable:
                if ready is self._listener:
                    self._accept()
                else:
                    self._receive(ready)
            while self._due and self._due[0][0] <= time.monotonic():
                _when, receiver, data = self._due.popleft()
                self._pass_on(receiver, data)

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        server = socket.create_connection(self._address)
        for side, other in ((client, server), (server, client)):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[side] = other

    def _receive(self, sender: socket.socket) -> None:
        try:
            data = sender.recv(CHUNK)
        except OSError:
            data = b""
        receiver = self._peers[sender]
        if not data:
            del self._peers[sender]
        self._due.append((time.monotonic() + self._delay, receiver, data))

    def _pass_on(self, receiver: socket.socket, data: bytes) -> None:
        with suppress(OSError):  # it has closed its side
            if data:
                receiver.sendall(data)
            else:
                receiver.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    host, port, milliseconds = sys.argv[1:]
    proxy = Proxy((host, int(port)), float(milliseconds) / 2000)
    print(proxy.port, flush=True)
    proxy.run()

"""A way to a server that a test can cut, freeze and mend: it forwards bytes."""

import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Gateway(socketserver.ThreadingTCPServer):
    """Listens on a port of its own at `address`, in front of the server that `url` names."""

    daemon_threads = True

    def __init__(self, url: str, *, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Way)
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.target = (parts.hostname, parts.port)
        here = f"{address}:{self.server_address[1]}"
        self.url = urlunsplit(
            parts._replace(netloc=parts.netloc.replace(f"{parts.hostname}:{parts.port}", here))
        )
        """What `url` becomes when it leads through here."""
        self.is_cut = self.is_frozen = False
        self.ends: set[socket.socket] = set()

    def cut(self) -> None:
        """Cut all connections, and each new one until `mend`."""
        self.is_cut = True
        for end in tuple(self.ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Accept connections and bytes, and pass nothing on, until `mend`."""
        self.is_frozen = True

    def mend(self) -> None:
        self.is_cut = self.is_frozen = False

    def forward(self, data: bytes, *, to: socket.socket, outward: bool) -> None:
        """Pass bytes on, `outward` to the server; an OSError ends their connection."""
        to.sendall(data)


class _Way(socketserver.BaseRequestHandler):
    server: Gateway

    def handle(self) -> None:
        near: socket.socket = self.request
        if self.server.is_cut:
            return
        with socket.create_connection(self.server.target) as far, suppress(OSError):
            self.server.ends |= {near, far}
            try:
                while True:
                    for end in select.select([near, far], [], [])[0]:
                        while self.server.is_frozen and not self.server.is_cut:
                            time.sleep(0.01)
                        data = end.recv(65536)
                        if not data:
                            return
                        other = far if end is near else near
                        self.server.forward(data, to=other, outward=end is near)
            finally:
                self.server.ends -= {near, far}


@contextmanager
def gateway_to(url: str, make: Callable[[str], Gateway] = Gateway) -> Iterator[Any]:
    """Yield a gateway to the server of `url`, which works for the length of the block."""
    with make(url) as gateway:
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield gateway
        finally:
            gateway.cut()
            gateway.shutdown()
            thread.join()

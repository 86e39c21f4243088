"""An SMS gateway for tests: real HTTP, scripted answers, and a record of what was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: Any


class Gateway(ThreadingHTTPServer):
    """Answers each request with the next of `answers`: a status, or DISCONNECT or SILENCE."""

    DISCONNECT, SILENCE = -1, -2

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.answer_body = b'{"id": "sms-1"}'
        self.headers: dict[str, str] = {}
        self.protocol = "HTTP/1.0"
        self.interim: list[int] = []
        """Statuses that are sent before each answer; HTTP/1.0 knows none."""
        self.asked: list[Asked] = []
        self.released = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def shutdown(self) -> None:
        self.released.set()
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(Asked(self.path, dict(self.headers), body))
        self.protocol_version = self.server.protocol
        self.close_connection = True
        for interim in self.server.interim:
            self.wfile.write(f"HTTP/1.1 {interim} Wait\r\nX-Hint: a\r\n\r\n".encode())
        status = self.server.answers.pop(0)
        if status == Gateway.SILENCE:
            self.server.released.wait()
        if status < 0:
            return
        if "Date" in self.server.headers:
            self.send_response_only(status)
        else:
            self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.answer_body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()

"""An endpoint for tests: real HTTP, scripted answers, and a record of the bytes that came."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.admission import admit
from notifications.webhooks.endpoint_secrets import new_secret, sealed
from notifications.webhooks.outbox import Event, listeners, write_deliveries
from project.jobs.errors import JobError
from project.jobs.run import run_job

KIND = "order.placed"


@dataclass(frozen=True)
class Came:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Answers each request with the next of `answers` (a status, or SILENCE), then with 200."""

    SILENCE = -2

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.answer_body = b"thanks"
        self.came: list[Came] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks?shop=1"

    def shutdown(self) -> None:
        self.released.set()
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.came.append(Came(self.path, headers, body))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == Receiver.SILENCE:
            self.server.released.wait()
            return
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.answer_body)

    def log_message(self, *args: Any) -> None:
        pass


def endpoint_at(url: str, **fields: Any) -> WebhookEndpoint:
    """An endpoint that wants new orders, with a secret of its own."""
    values = {"name": "Warehouse", "events": [KIND], "secret": sealed(new_secret()), **fields}
    return WebhookEndpoint.objects.create(url=url, **values)


def happened(count: int = 1, **fields: Any) -> list[WebhookDelivery]:
    """Write so many events for whoever listens; return all deliveries, in their order."""
    values: dict[str, Any] = {"full": {"id": "1", "name": "Ada"}, "thin": {"id": "1"}, **fields}
    kind = values.pop("kind", KIND)
    write_deliveries([Event(kind, **values)] * count, listeners(kind))
    return list(WebhookDelivery.objects.order_by("position"))


def attempt(delivery: WebhookDelivery) -> WebhookDelivery:
    """Make one attempt, as a worker does once the delivery is let go; return the row after it."""
    try:
        run_job(WebhookDelivery, delivery.pk)
    except JobError:
        pass
    delivery.refresh_from_db()
    return delivery


def let_go() -> list[Any]:
    """Return the ids that admission lets go now, in the order of their events."""
    ids = admit()
    return list(
        WebhookDelivery.objects.filter(pk__in=ids).order_by("position").values_list("pk", flat=True)
    )

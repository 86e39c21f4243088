"""A local Stripe: it checks what it is asked, and answers as Stripe's API is documented."""

import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET_KEY = "sk_test_local"
WEBHOOK_SECRET = "whsec_local"
FORM = "application/x-www-form-urlencoded"


class LocalStripe(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.sessions: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, tuple[dict[str, str], str]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.faults: list[int] = []
        """Statuses of the next answers, before anything else is looked at."""

    def create(self, asked: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        """Create a session, or return that of the key; the same key must ask for the same."""
        if key in self.by_key:
            before, session_id = self.by_key[key]
            if before != asked:
                return 400, {"error": {"type": "idempotency_error", "message": "another request"}}
            return 200, self.sessions[session_id]
        session_id = f"cs_test_{len(self.sessions)}"
        units = int(asked["line_items[0][price_data][unit_amount]"])
        self.sessions[session_id] = {
            "id": session_id,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": units * int(asked["line_items[0][quantity]"]),
            "currency": asked["line_items[0][price_data][currency]"],
            "client_reference_id": asked["client_reference_id"],
            "url": f"https://checkout.stripe.com/c/pay/{session_id}",
        }
        self.by_key[key] = (asked, session_id)
        return 200, self.sessions[session_id]

    def pay(self, session_id: str) -> dict[str, Any]:
        """Let the customer pay; return the session."""
        session = self.sessions[session_id]
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}
        return session


class _Handler(BaseHTTPRequestHandler):
    server: LocalStripe

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = dict(parse_qsl(body, keep_blank_values=True))
        self.server.requests.append((self.path, asked))
        if self._refused():
            return None
        if self.path != "/v1/checkout/sessions" or self.headers["Content-Type"] != FORM:
            return self._answer(404, {"error": {"message": self.path}})
        key = self.headers["Idempotency-Key"]
        if asked.get("mode") != "payment" or key != asked.get("client_reference_id"):
            return self._answer(400, {"error": {"message": "mode or key"}})
        return self._answer(*self.server.create(asked, key))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.requests.append((url.path, dict(parse_qsl(url.query))))
        if self._refused():
            return None
        session = self.server.sessions.get(url.path.removeprefix("/v1/checkout/sessions/"))
        if session is None:
            return self._answer(404, {"error": {"message": "No such checkout.session"}})
        intent = session["payment_intent"]
        if "payment_intent" in url.query and isinstance(intent, str):
            session = session | {"payment_intent": {"id": intent, "object": "payment_intent"}}
        return self._answer(200, session)

    def _refused(self) -> bool:
        if self.server.faults:
            self._answer(self.server.faults.pop(0), {"error": {"message": "a fault"}})
        elif self.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            self._answer(401, {"error": {"message": "Invalid API Key provided"}})
        else:
            return False
        return True

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def local_stripe() -> Iterator[LocalStripe]:
    """Run the server for the length of the block."""
    server = LocalStripe()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def signed(body: bytes, *, secret: str = WEBHOOK_SECRET, age: int = 0) -> dict[str, str]:
    """Return Stripe's header for a webhook: HMAC-SHA256 over the time and the body."""
    timestamp = int(time.time()) - age
    digest = hmac.new(secret.encode(), b"%d." % timestamp + body, "sha256").hexdigest()
    return {"Stripe-Signature": f"t={timestamp},v1={digest}"}


def event(kind: str, session: dict[str, Any]) -> bytes:
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": kind, "data": {"object": session}}
    ).encode()

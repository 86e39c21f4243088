"""The load: its rate, and the times of an open loop."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from orders.performance import load
from orders.performance.figures import milliseconds, percentile
from orders.performance.load import Load, Plan, Sender, post_order
from orders.performance.tables import SKU


def plan(*, rate: int = 20) -> Plan:
    return Plan(rate=rate, seconds=1, run_pass="", url="http://x")


def never(_load: Load) -> bool:
    return False


def test_an_order_that_waited_for_a_stalled_shop_counts_from_when_it_was_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stalled = threading.Event()

    def stall(_plan: Plan) -> str:
        if not stalled.is_set():
            stalled.set()
            time.sleep(0.5)  # the shop's answer to the first order
        return ""

    monkeypatch.setattr(load, "post_order", stall)
    monkeypatch.setattr(load, "THREADS", 1)

    times = Sender(plan(), look=never).run().times

    # The second was due after 0.05 s, and sent after 0.5 s.
    assert times[1] > 0.4


def test_no_order_is_sent_before_it_is_due_and_none_beyond_the_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[float] = []

    def note(_plan: Plan) -> str:
        sent.append(time.monotonic())
        return ""

    monkeypatch.setattr(load, "post_order", note)
    begin = time.monotonic()

    found = Sender(plan(), look=never).run()

    assert found.sent == len(sent) == 20
    assert all(at - begin >= number / 20 for number, at in enumerate(sorted(sent)))


def test_what_keeps_the_shop_from_answering_is_counted_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusals = [TimeoutError(), ConnectionRefusedError(), "503 busy"]

    def refuse(_plan: Plan) -> str:
        refusal = refusals.pop()
        if isinstance(refusal, str):
            return refusal
        raise refusal

    monkeypatch.setattr(load, "post_order", refuse)

    found = Sender(plan(rate=3), look=never).run()

    assert found.errors == {"timeout": 1, "ConnectionRefusedError": 1, "503 busy": 1}
    assert found.times == []


@pytest.mark.parametrize(
    ("percent", "value"),
    [(50, 0.050), (95, 0.095), (99, 0.099), (100, 0.1)],
)
def test_a_percentile_is_the_nearest_rank(percent: int, value: float) -> None:
    assert percentile([number / 1000 for number in range(100, 0, -1)], percent) == value


def test_of_nothing_there_is_no_percentile() -> None:
    assert milliseconds([], 99) is None
    assert milliseconds([0.01234], 99) == 12.3


@contextmanager
def web(status: int, answer: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives this answer; yields its address and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_an_order_to_an_internal_address_says_the_sites_host_and_scheme(settings: Any) -> None:
    settings.SITE_URL = "https://shop.example.org"
    with web(201, {}) as (url, asked):
        assert post_order(Plan(rate=1, seconds=1, run_pass="pass", url=url)) == ""

    [(path, headers, order)] = asked
    assert path == "/api/v1/orders"
    assert headers["Host"] == "shop.example.org"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["Performance-Run"] == "pass"
    assert order["lines"] == [{"sku": SKU, "quantity": 1}]


def test_an_error_is_its_status_and_code() -> None:
    with web(503, {"code": "busy"}) as (url, _asked):
        assert post_order(Plan(rate=1, seconds=1, run_pass="", url=url)) == "503 busy"

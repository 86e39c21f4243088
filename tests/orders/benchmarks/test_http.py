"""`bench http`: what its client counts, and how its figures are judged."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from orders.benchmarks.http.client import get, load, loads
from orders.benchmarks.http.judgement import TARGETS, judge


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        busy = self.path == "/busy"
        self.send_response(503 if busy else 200)
        if self.path == "/close":
            self.send_header("Connection", "close")
        if busy and self.headers["X-Politely"]:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("path", ["/", "/close"])
def test_each_connection_asks_at_least_once_and_is_counted(port: int, path: str) -> None:
    found = load(port, get(path), connections=3, seconds=0.1)

    assert found.statuses[200] >= 3
    assert found.rate(200) > 0
    assert 0 < found.percentile(50, 200) <= found.percentile(99, 200)


def test_refusals_are_told_apart_and_those_that_name_no_time_are_counted(port: int) -> None:
    rude, polite, fine = loads(
        port,
        parts=[
            (get("/busy"), 1, 0.0),
            (get("/busy", **{"X-Politely": "1"}), 1, 0.0),
            (get("/"), 1, 0.01),
        ],
        seconds=0.1,
    )

    assert rude.without_retry_after == rude.statuses[503] >= 1
    assert polite.without_retry_after == 0
    assert fine.statuses.keys() == {200}


def row(what: str, build: str = "ours", **figures: float) -> dict[str, Any]:
    return {"what": what, "build": build, "per_second": 100.0, "p99_ms": 10.0, **figures}


RUSH = row(
    "overload, 4 x",
    peak_per_second=100.0,
    refused_late=0,
    without_retry_after=0,
    page_p95_ms=30.0,
    page_p95_calm_ms=20.0,
)


def test_without_another_build_only_ours_is_judged() -> None:
    report = judge([row("no-op view"), row("POST order"), RUSH])

    assert report.ratios["POST order to a no-op view"] == 1.0
    assert report.missed == []
    assert "POST order to the other build" not in report.targets


def test_each_target_that_is_missed_is_named() -> None:
    report = judge(
        [
            row("no-op view", per_second=1000.0),
            row("POST order", p99_ms=4.0),
            row("POST order", "other"),
            row("home", per_second=599.0),
            row("home", "other"),
            {**RUSH, "refused_late": 1, "per_second": 80.0, "page_p95_ms": 41.0},
        ]
    )

    assert len(report.missed) == 7
    assert "home to the other build is 5.99, wanted at least 6" in report.missed
    assert "POST order, p99 to the other build is 0.4, wanted at most 0.35" in report.missed
    assert report.targets.keys() <= TARGETS.keys()

"""Orders beyond the threads are refused in time by a real web process, and pages are shown."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from orders.models import Order
from orders.placing.placement import MAX_CONCURRENT
from project.admission.worker import PATIENCE, is_all_there
from project.gunicorn import threads as web_threads
from project.local.data_folder import free_port
from tests.concurrency.rush import order_body
from tests.database import this_database
from tests.factories import add_product, new_key
from tests.live import wait_until
from tests.time_bounds import stretched

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]

OURS = "project.admission.worker.AdmittingWorker"
REFUSED_WITHIN = 1.0
"""Seconds."""
ORDER_HEAD = (
    b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: 0123456789abcdef\r\n"
    b"Content-Type: application/json\r\nContent-Length: 0\r\n\r\n"
)
"""An order without a body."""


class Web:
    """A web process of one worker, whose orders are held until `release`."""

    def __init__(self, hold: Path, worker_class: str) -> None:
        port = free_port()
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self._hold = hold
        hold.touch()
        environment = os.environ | {
            "DATABASE_URL": this_database(),
            "PORT": str(port),
            "SITE_URL": self.url,
            "HELD": str(hold),
        }
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "-c", "python:project.gunicorn"),
                *("--workers", "1", "--worker-class", worker_class),
                "tests.project.admission.slow_shop",
            ],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def get(self, path: str, *, seconds: float = 30) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=seconds, trust_env=False)

    def order(self, *, seconds: float = 30, body_of: int = 0, key: str = "") -> httpx.Response:
        """Order one unit; `body_of`: a body of so many bytes more."""
        return httpx.post(
            f"{self.url}/api/v1/orders",
            json=order_body(("TEA", 1), name="Ada" + body_of * " "),
            headers={"Idempotency-Key": key or new_key()},
            timeout=seconds,
            trust_env=False,
        )

    def held(self) -> int:
        """Return how many orders have a thread."""
        return int(self.get("/held").text)

    def release(self) -> None:
        self._hold.unlink(missing_ok=True)

    def release_one(self) -> None:
        self._hold.with_name(f"{self._hold.name}.one").touch()

    def answers(self) -> bool:
        try:
            return self.get("/healthz").is_success
        except httpx.TransportError:
            return False


@contextmanager
def served(hold: Path, worker_class: str = OURS) -> Iterator[Web]:
    add_product("TEA", stock=1000)
    web = Web(hold, worker_class)
    try:
        wait_until(web.answers, seconds=40, what="the web process answers")
        yield web
    finally:
        web.release()
        web.process.terminate()
        web.process.wait(40)


@contextmanager
def full(web: Web, orders: int, *, key: str = "") -> Iterator[list[Future[httpx.Response]]]:
    """Have so many orders at once; yield their answers to come."""
    with ThreadPoolExecutor(orders) as pool:
        try:
            yield [pool.submit(web.order, key=key) for _ in range(orders)]
        finally:
            web.release()


def statuses(answers: list[Future[httpx.Response]]) -> Counter[int]:
    return Counter(answer.result().status_code for answer in answers)


def test_when_the_threads_for_orders_are_full_the_next_is_refused_and_pages_are_shown(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "hold") as web, full(web, web_threads) as orders:
        wait_until(lambda: web.held() == MAX_CONCURRENT, seconds=30, what="its threads are full")
        wait_until(lambda: sum(each.done() for each in orders) > 0, seconds=30, what="one refused")
        began = time.monotonic()
        refused = web.order()
        seconds = time.monotonic() - began
        page = web.get("/")
        held = web.held()
        web.release()

        assert statuses(orders) == {201: MAX_CONCURRENT, 503: web_threads - MAX_CONCURRENT}
        other = web.get("/api/v1/products/NONE")

    assert PATIENCE <= seconds < stretched(REFUSED_WITHIN)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "2"
    assert refused.headers["Content-Type"] == "application/problem+json"
    # It was refused before it was a request with an id of its own.
    assert refused.headers.keys() >= other.headers.keys() - {"server", "x-request-id"}
    assert refused.json()["code"] == "busy"
    assert page.status_code == 200
    assert held == MAX_CONCURRENT
    assert Order.objects.count() == MAX_CONCURRENT


def test_control_without_a_queue_the_next_waits_for_a_thread_and_so_do_pages(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "hold", "gthread") as web, full(web, web_threads) as orders:
        with pytest.raises(httpx.ReadTimeout):
            wait_until(lambda: web.get("/healthz", seconds=2) is None, seconds=30, what="full")
        with pytest.raises(httpx.ReadTimeout):
            web.order(seconds=3 * REFUSED_WITHIN)
        with pytest.raises(httpx.ReadTimeout):
            web.get("/", seconds=REFUSED_WITHIN)
        assert not any(each.done() for each in orders)


def test_an_order_in_the_queue_gets_the_first_free_thread(tmp_path: Path) -> None:
    with served(tmp_path / "hold") as web, full(web, MAX_CONCURRENT, key="bad") as orders:
        wait_until(lambda: web.held() == MAX_CONCURRENT, seconds=30, what="its threads are full")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(web.order)
            web.release_one()
            wait_until(lambda: any(each.done() for each in orders), seconds=30, what="one ends")
            wait_until(lambda: web.held() == MAX_CONCURRENT, seconds=30, what="its thread is taken")
            web.release()

            assert waiting.result().status_code == 201
        assert statuses(orders) == {422: MAX_CONCURRENT}


def test_a_connection_serves_on_after_a_refusal_unless_its_request_is_not_all_there(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "hold") as web, full(web, MAX_CONCURRENT) as orders:
        wait_until(lambda: web.held() == MAX_CONCURRENT, seconds=30, what="its threads are full")
        with socket.create_connection(web.address, timeout=30) as kept:
            kept.sendall(ORDER_HEAD)
            first = kept.recv(65536)
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            second = kept.recv(65536)
        large = web.order(body_of=2_000_000)
        web.release()

        assert first.startswith(b"HTTP/1.1 503 ")
        assert second.startswith(b"HTTP/1.1 200 ")
        assert large.status_code == 503
        assert large.headers["Connection"] == "close"
        assert statuses(orders) == {201: MAX_CONCURRENT}


@pytest.mark.parametrize(
    "request_sent",
    [
        ORDER_HEAD.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
        ORDER_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n"),
        ORDER_HEAD.replace(b"Content-Length: 0", b"Content-Length: 1"),
        ORDER_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: none\r\n\r\n"),
        ORDER_HEAD.replace(b"\r\nIdempotency", b"\nIdempotency"),
        ORDER_HEAD + ORDER_HEAD,
        ORDER_HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ORDER_HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ],
)
def test_a_request_whose_end_is_in_doubt_is_the_connections_last(request_sent: bytes) -> None:
    assert not is_all_there(request_sent)


def test_an_order_without_a_body_is_all_there() -> None:
    assert is_all_there(ORDER_HEAD)


def test_connections_without_a_request_take_no_threads(tmp_path: Path) -> None:
    with served(tmp_path / "hold") as web, ExitStack() as idle:
        for _connection in range(2 * web_threads):
            idle.enter_context(socket.create_connection(web.address))

        assert web.get("/healthz", seconds=stretched(REFUSED_WITHIN)).is_success


def test_a_stop_finishes_orders_in_threads_and_answers_those_in_the_queue(
    tmp_path: Path,
) -> None:
    with (
        served(tmp_path / "hold") as web,
        full(web, MAX_CONCURRENT) as orders,
        socket.create_connection(web.address, timeout=30) as last,
    ):
        wait_until(lambda: web.held() == MAX_CONCURRENT, seconds=30, what="its threads are full")
        last.sendall(ORDER_HEAD)
        web.held()  # what was sent before is in the queue by now, or refused
        web.process.send_signal(signal.SIGTERM)
        web.release()

        assert statuses(orders) == {201: MAX_CONCURRENT}
        assert last.recv(12) in (b"HTTP/1.1 422", b"HTTP/1.1 503")  # in a thread, or in the queue
        assert web.process.wait(30) == 0
    assert Order.objects.count() == MAX_CONCURRENT


def stop_with_some_at_the_port(web: Web, some: int) -> list[bytes]:
    """Stop it while connections with a request wait at its port; return what each was answered."""
    (worker,) = children(web.process.pid)
    with ExitStack() as waiting:
        os.kill(worker, signal.SIGSTOP)
        connections = [
            waiting.enter_context(socket.create_connection(web.address, timeout=30))
            for _number in range(some)
        ]
        for connection in connections:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        web.process.terminate()
        os.kill(worker, signal.SIGCONT)
        return [first_line(connection) for connection in connections]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def first_line(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536).partition(b"\r\n")[0]
    except ConnectionResetError:
        return b"reset"


def test_a_stop_answers_those_who_wait_at_the_port(tmp_path: Path) -> None:
    with served(tmp_path / "hold") as web:
        assert stop_with_some_at_the_port(web, 20) == [b"HTTP/1.1 200 OK"] * 20


def test_control_gunicorns_own_worker_resets_those_who_wait_at_the_port(tmp_path: Path) -> None:
    with served(tmp_path / "hold", "gthread") as web:
        assert b"reset" in stop_with_some_at_the_port(web, 20)


def lets_in(web: Web) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(web.address) == 0


def test_a_stop_closes_the_port_before_the_open_requests_end(tmp_path: Path) -> None:
    with served(tmp_path / "hold") as web, full(web, 1) as orders:
        wait_until(lambda: web.held() == 1, seconds=30, what="an order is open")
        web.process.terminate()

        wait_until(lambda: not lets_in(web), seconds=10, what="the port is closed")
        assert not orders[0].done()
        web.release()
        assert orders[0].result().status_code == 201


def test_control_gunicorns_own_worker_lets_in_until_the_open_requests_end(tmp_path: Path) -> None:
    with served(tmp_path / "hold", "gthread") as web, full(web, 1) as orders:
        wait_until(lambda: web.held() == 1, seconds=30, what="an order is open")
        web.process.terminate()

        with pytest.raises(AssertionError, match="the port is closed"):
            wait_until(lambda: not lets_in(web), seconds=3, what="the port is closed")
        assert not orders[0].done()

"""Four web processes and 200 HTTP clients on one product, measured where shoppers are: at the door.

The clients open a connection for each order, so that the system, and not a kept connection, gives
each process its part of them.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from orders.models import Product, Stock
from orders.placing.placement import MAX_WAIT_FOR_TURN
from project.gunicorn import threads as web_threads
from project.local.data_folder import free_port
from tests.database import this_database
from tests.factories import add_product, new_key
from tests.live import wait_until
from tests.orders.placing.convoy import Convoy
from tests.orders.placing.held_row import HOLD, held
from tests.time_bounds import stretched

pytestmark = [
    pytest.mark.slow,
    pytest.mark.live,
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
]

PROCESSES = 4
CLIENTS = 200
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    second: float
    """Since the rush began."""
    status: int
    process: str


@contextmanager
def served(*, impatient: bool = False) -> Iterator[int]:
    """Serve the shop with gunicorn; give its port."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": this_database(),
        "PORT": str(port),
        "SITE_URL": f"http://localhost:{port}",
        "ORDER_LIMITS": "off",
        **({"HOT_IMPATIENT": "1"} if impatient else {}),
    }
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "-c", "python:project.gunicorn"),
            # Without admission, which refuses for another reason: here all get to the writers.
            *("--workers", str(PROCESSES), "--worker-class", "gthread"),
            "tests.orders.placing.hot_wsgi",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answering: set[str] = set()

        def all_answer() -> bool:
            answers = asyncio.run(_rush(port, seconds=0.3, clients=2 * PROCESSES))
            answering.update(answer.process for answer in answers if answer.status == 201)
            return len(answering) == PROCESSES

        wait_until(all_answer, seconds=ANSWER_SECONDS, what="an order by each process")
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(40)


def rush(port: int, *, seconds: float) -> list[Answer]:
    """Have each client order one unit after the other for so long; return all answers."""
    return asyncio.run(_rush(port, seconds=seconds, clients=CLIENTS))


async def _rush(port: int, *, seconds: float, clients: int) -> list[Answer]:
    began = time.monotonic()
    answers: list[Answer] = []

    async def shop() -> None:
        while time.monotonic() < began + seconds:
            try:
                status, process = await asyncio.wait_for(_order(port), ANSWER_SECONDS)
            except OSError:  # it isn't up yet
                return
            answers.append(Answer(time.monotonic() - began, status, process))
            if status != 201:
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        for _client in range(clients):
            group.create_task(shop())
    return answers


async def _order(port: int) -> tuple[int, str]:
    """Order one unit; return the answer's status and process."""
    body = json.dumps(
        {
            "name": "Ada",
            "email": "ada@example.org",
            "lines": [{"sku": "HOT", "quantity": 1}],
        }
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /api/v1/orders HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
        f"Idempotency-Key: {new_key()}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    head = (await reader.read()).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    writer.close()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
    return int(head[0].split()[1]), headers.get("x-process", "")


def shares(answers: list[Answer]) -> list[int]:
    """Return how many orders each process placed, the fewest first."""
    placed = Counter(answer.process for answer in answers if answer.status == 201)
    return sorted([*placed.values(), *[0] * (PROCESSES - len(placed))])


def speed(answers: list[Answer]) -> float:
    """Return the answers a second."""
    times = [answer.second for answer in answers]
    return len(times) / (max(times) - min(times))


def refused(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers if answer.status != 201)


def after(answers: list[Answer], second: float) -> list[Answer]:
    return [answer for answer in answers if answer.second > second]


def add_hot() -> Product:
    return add_product("HOT", stock=10**6)


def test_200_clients_are_all_served_and_by_all_processes_before_and_after_a_hold() -> None:
    hot = add_hot()
    as_before = 1 + HOLD + stretched(2.0)
    assert PROCESSES * web_threads > CLIENTS
    with served() as port, ThreadPoolExecutor(1) as pool:
        rush(port, seconds=2)  # connections, plans, caches
        calm = rush(port, seconds=5)
        held_rush = pool.submit(rush, port, seconds=as_before + 4)
        time.sleep(1)
        with held(hot):
            time.sleep(HOLD)
        later = after(held_rush.result(), as_before)

    if min(speed(calm), speed(later)) < CLIENTS / MAX_WAIT_FOR_TURN:
        # A client waits longer for a processor than it may wait for its turn.
        pytest.skip(f"{speed(calm):.0f}, then {speed(later):.0f} answers a second: it is too busy")
    for answers in (calm, later):
        placed = shares(answers)
        print(f"placed by process: {placed}, refused: {dict(refused(answers))}")
        assert not refused(answers)
        assert placed[0] > sum(placed) / PROCESSES / 2
    assert Stock.objects.get().available > 0


def test_control_without_queueing_they_are_refused_long_after_a_hold() -> None:
    hot = add_hot()
    with served(impatient=True) as port, ThreadPoolExecutor(1) as pool:
        convoy = Convoy(hot.pk, seconds=0.05)
        held_rush = pool.submit(rush, port, seconds=8)
        time.sleep(1)
        with held(hot):
            time.sleep(HOLD)
            convoy.begin()
        answers = held_rush.result()
        convoy.end()

    assert refused(after(answers, 1 + HOLD + 2.0))[503] > 0

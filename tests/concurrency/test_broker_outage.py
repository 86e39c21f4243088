"""A stopped or frozen broker stops neither orders nor, for long, messages.

What a flushed broker loses is in test_flushed_broker.py, RabbitMQ in project/test_rabbitmq.py.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from project.local.data_folder import DataFolder
from project.local.embedded.running import temporary_data_folder
from project.local.embedded.valkey import ValkeyServer
from tests.concurrency.rush import Answer, Books, new_key, order_body, rush
from tests.concurrency.sockets import connects_to, family
from tests.live import LiveShop, wait_until
from tests.time_bounds import stretched

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

SOME = 15
RUNS = 5
ORDERS = 400
CLIENTS = 16


class Broker:
    """A Valkey that the test stops and freezes; no supervisor brings it back."""

    def __init__(self, data: DataFolder) -> None:
        data.create()
        self._server = ValkeyServer(data)
        self._server.prepare()
        self.url = self._server.url
        self.port = self._server.port

    def start(self) -> None:
        self._process = subprocess.Popen(self._server.argv, stdout=subprocess.DEVNULL)
        wait_until(self._server.is_ready, seconds=15, what="Valkey is ready")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Leave its port open and its clients without an answer."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)
        wait_until(self._server.is_ready, seconds=15, what="Valkey is ready")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with temporary_data_folder() as data:
        broker = Broker(data)
        broker.start()
        yield broker
        broker.stop()


@pytest.fixture(scope="module")
def shop(broker: Broker, filled_data: Path) -> Iterator[LiveShop]:
    environment = {"CELERY_BROKER_URL": broker.url}
    with LiveShop(copy_of=filled_data, environment=environment) as shop:
        yield shop


@pytest.fixture
def books(shop: LiveShop) -> Iterator[Books]:
    with closing(Books(shop)) as books:
        yield books
        books.cancel_jobs()


def health(shop: LiveShop) -> dict[str, Any]:
    return httpx.get(f"{shop.url}/readyz").json()


def some_orders(shop: LiveShop, sku: str) -> list[Answer]:
    orders = [(new_key(), order_body((sku, 1), phone="+4930123456")) for _ in range(SOME)]
    return rush(shop, orders, clients=4)


def messages_of(shop: LiveShop, answers: list[Answer]) -> Counter[tuple[str, str]]:
    """Count what the mailbox has about these orders, by channel and order."""
    mailbox = [json.loads(path.read_text()) for path in (shop.data / "mailbox").iterdir()]
    return Counter(
        (message["channel"], answer.body["number"])
        for message in mailbox
        for answer in answers
        if answer.body["number"] in message["content"]
    )


def messages_sent(books: Books, answers: list[Answer]) -> int:
    return books.one(
        "SELECT count(*) FROM notifications_notification"
        " WHERE status = 'done' AND order_id = ANY(%s::uuid[])",
        [answer.body["id"] for answer in answers],
    )


def pictures_drawn(books: Books, answers: list[Answer]) -> int:
    return books.one(
        "SELECT count(*) FROM media_jobs_mediajob"
        " WHERE status = 'done' AND order_id = ANY(%s::uuid[])",
        [answer.body["id"] for answer in answers],
    )


def test_no_web_process_holds_a_connection_to_the_broker(
    broker: Broker, shop: LiveShop, books: Books
) -> None:
    sku = books.add_product(stock=1000)

    rush(shop, [(new_key(), order_body((sku, 1))) for _ in range(40)], clients=20)
    for page in ("/", "/admin/login/", "/readyz", "/metrics", "/mailbox/"):
        httpx.get(f"{shop.url}{page}").raise_for_status()

    web = family(shop.pid("web"))
    assert len(web) == 3, "gunicorn and its two processes"
    assert not [pid for pid in web if connects_to(pid, broker.port)]
    for name in ("relay", "notify", "media", "default"):  # control: this look finds those
        assert any(connects_to(pid, broker.port) for pid in family(shop.pid(name))), name


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param("short", marks=pytest.mark.slow),
        "long",
        pytest.param("frozen", marks=pytest.mark.slow),
    ],
)
def test_orders_go_on_without_a_broker_and_every_message_is_sent_once(
    broker: Broker, shop: LiveShop, books: Books, outage: str
) -> None:
    sku = books.add_product(stock=1000)
    rush(shop, [(new_key(), order_body((sku, 1)))])  # every connection is made
    wait_until(lambda: health(shop)["status"] == "ok", seconds=60, what="all well")
    go_away, come_back = {
        "short": (broker.stop, broker.start),
        "long": (broker.stop, broker.start),
        "frozen": (broker.freeze, broker.thaw),
    }[outage]
    go_away()

    answers = some_orders(shop, sku)

    assert {answer.status for answer in answers} == {201}
    assert max(answer.seconds for answer in answers) < stretched(1.0)
    if outage != "short":
        # After ten seconds the relay sends by itself; pictures wait.
        wait_until(lambda: messages_sent(books, answers) == 2 * SOME, seconds=60, what="all sent")
        assert health(shop)["status"] == "degraded"
        assert "(for " in health(shop)["checks"]["broker"]
        # Control: these the relay leaves to the broker.
        assert pictures_drawn(books, answers) == 0
    come_back()
    wait_until(lambda: pictures_drawn(books, answers) == SOME, seconds=110, what="all drawn")
    wait_until(lambda: messages_sent(books, answers) == 2 * SOME, seconds=110, what="all sent")
    wait_until(lambda: health(shop)["status"] == "ok", seconds=60, what="all well")
    assert messages_of(shop, answers) == {
        (channel, answer.body["number"]): 1 for channel in ("email", "sms") for answer in answers
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_orders_keep_their_rate_without_a_broker(
    broker: Broker, shop: LiveShop, books: Books, outage: str
) -> None:
    sku = books.add_product(stock=1_000_000)
    go_away, come_back = {
        "stopped": (broker.stop, broker.start),
        "frozen": (broker.freeze, broker.thaw),
    }[outage]
    orders_per_second(shop, books, sku)  # every connection is made
    with_broker, without = [], []

    for _ in range(RUNS):
        with_broker.append(orders_per_second(shop, books, sku))
        go_away()
        without.append(orders_per_second(shop, books, sku))
        come_back()

    ratio = median(without) / median(with_broker)
    print(
        f"{outage}: {median(with_broker):.0f}/s with, {median(without):.0f}/s without: {ratio:.2f}"
    )
    assert ratio >= 0.9


def orders_per_second(shop: LiveShop, books: Books, sku: str) -> float:
    orders = [(new_key(), order_body((sku, 1))) for _ in range(ORDERS)]
    begin: float = books.one("SELECT extract(epoch FROM clock_timestamp())::float")

    answers = rush(shop, orders, clients=CLIENTS)

    end: float = books.one("SELECT extract(epoch FROM clock_timestamp())::float")
    assert {answer.status for answer in answers} == {201}
    books.cancel_jobs()  # their work must not fall into the next run
    return ORDERS / (end - begin)

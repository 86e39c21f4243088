"""SIGTERM to everything under load: what was accepted is finished, no job is left running."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from project.jobs.model import job_models
from project.local.data_folder import DataFolder
from project.local.embedded.running import running_servers
from tests.concurrency.rush import Books, new_key, order_body, rush
from tests.faults.drift import drift
from tests.faults.shoppers import Shoppers
from tests.live import LiveShop, wait_until
from tests.project.local.shop_processes import processes_of

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

logging.getLogger("mail.log").setLevel(logging.WARNING)  # a line per line of SMTP

STOP_SECONDS = 30


class SlowMailServer:
    """Takes half a second for a message, and for ever for those to slow@example.org."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        await asyncio.sleep(600 if "slow@example.org" in envelope.rcpt_tos else 0.5)
        return "250 OK"


@pytest.fixture(scope="module")
def shop(filled_data: Path) -> Iterator[LiveShop]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    controller = Controller(SlowMailServer(), hostname="127.0.0.1", port=port)
    controller.start()
    mail = {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    with LiveShop(copy_of=filled_data, environment=mail) as running:
        yield running
    controller.stop()


def running_jobs(books: Books) -> list[tuple[Any, ...]]:
    return [
        row
        for table in (model._meta.db_table for model in job_models())
        for row in books.all(f"SELECT '{table}', id FROM {table} WHERE status = 'running'")
    ]


def order_slow_mail(shop: LiveShop, books: Books) -> str:
    """Place an order whose message is being sent when this returns; return the order's id."""
    slow = order_body((books.add_product(stock=1), 1), email="slow@example.org")
    [answer] = rush(shop, [(new_key(), slow)])
    assert answer.status == 201
    sending = (
        "SELECT count(*) FROM notifications_notification WHERE order_id = %s AND status = 'running'"
    )
    wait_until(lambda: books.one(sending, answer.body["id"]), seconds=30, what="a worker sends it")
    return str(answer.body["id"])


def test_control_a_killed_worker_leaves_its_job_running(shop: LiveShop) -> None:
    with closing(Books(shop)) as books:
        order_slow_mail(shop, books)

        shop.kill("notify")

        shop.wait_for_pid("notify")
        assert running_jobs(books) != []
        books.connection.execute(
            "UPDATE notifications_notification"
            " SET status = 'cancelled', token = NULL, lease_until = NULL WHERE status = 'running'"
        )


def test_a_stop_under_load_finishes_orders_and_leaves_no_job_running(shop: LiveShop) -> None:
    with closing(Books(shop)) as books:
        slow = order_slow_mail(shop, books)
        sku = books.add_product(stock=100_000)

    with Shoppers(shop, sku) as shoppers:
        shoppers.wait_for(50)
        begun = time.monotonic()
        assert shop.stop() == 0
        seconds = time.monotonic() - begun

    assert seconds < STOP_SECONDS
    assert processes_of(shop) == []
    with running_servers(DataFolder(shop.data)), closing(Books(shop)) as books:
        placed = {str(order_id) for (order_id,) in books.all("SELECT id FROM orders_order")}
        assert set(shoppers.accepted) <= placed
        assert drift(books) == []  # sales too: nothing waits for a settle
        assert running_jobs(books) == []
        [released] = books.all(
            "SELECT status, attempts, lost, maybe_duplicate FROM notifications_notification"
            " WHERE order_id = %s",
            slow,
        )
        assert released == ("queued", 0, 0, True)

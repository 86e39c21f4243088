"""Orders while two hundred pictures wait: the media worker is niced, and has two processes.

Rounds with the worker at its pictures and rounds with the worker frozen take turns on one live
shop, so that whatever else the machine does hits both.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest

from tests.concurrency.rush import Books, new_key, order_body, rush
from tests.live import LiveShop, wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(400),
]

PICTURES, ROUNDS, ORDERS, CLIENTS = 200, 5, 300, 4
HAND_IN = f"""
from django.core.files.base import ContentFile
from media_jobs.assets import store_asset
from media_jobs.benchmarks.originals import photo
from media_jobs.outbox import queue_renditions
data = photo()
for number in range({PICTURES}):
    content = ContentFile(data + number.to_bytes(2))  # behind its end: another file, the same photo
    queue_renditions(store_asset(content, name=f"Photo {{number}}"))
"""
CANCEL = "UPDATE {} SET status = 'cancelled' WHERE status = 'queued' AND order_id IS NOT NULL"
CANCEL_PASSES = CANCEL.format("media_jobs_mediajob")
CANCEL_MESSAGES = CANCEL.format("notifications_notification")
OPEN = "SELECT count(*) FROM media_jobs_mediajob WHERE kind = 'renditions' AND status = ANY(%s)"


@contextmanager
def frozen(shop: LiveShop) -> Iterator[None]:
    """Let no media job go on for the length of the block."""
    group = os.getpgid(shop.pid("media"))
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def p99_ms(shop: LiveShop, books: Books, sku: str) -> float:
    """The 99th percentile of a round of orders, in ms; what they queued isn't worked on."""
    orders = [(new_key(), order_body((sku, 1))) for _order in range(ORDERS)]
    answers = rush(shop, orders, clients=CLIENTS)
    books.connection.execute(CANCEL_PASSES)
    books.connection.execute(CANCEL_MESSAGES)
    assert {answer.status for answer in answers} == {201}
    return 1000 * sorted(answer.seconds for answer in answers)[int(ORDERS * 0.99)]


def wait_for_the_next(books: Books) -> None:
    """Return once another picture is made."""
    made = books.one(OPEN, ["done"])
    wait_until(lambda: books.one(OPEN, ["done"]) > made, seconds=60, what="another picture")


def test_two_hundred_queued_pictures_leave_orders_their_pace(
    live_shop: LiveShop, books: Books
) -> None:
    sku = books.add_product(stock=1_000_000)
    p99_ms(live_shop, books, sku)  # connections are open, caches warm
    live_shop.manage("shell", "-c", HAND_IN)
    wait_until(lambda: books.one(OPEN, ["running"]) == 2, seconds=100, what="two at work")
    alone, beside = [], []

    for _round in range(ROUNDS):
        with frozen(live_shop):
            alone.append(p99_ms(live_shop, books, sku))
        wait_for_the_next(books)
        beside.append(p99_ms(live_shop, books, sku))
    made, waiting = books.one(OPEN, ["done"]), books.one(OPEN, ["queued"])

    print(f"p99 of an order: {median(alone):.1f} ms alone, {median(beside):.1f} ms beside pictures")
    print(f"alone {alone}, beside {beside}; {made} pictures made, {waiting} waiting")
    assert made > 0
    assert waiting > 0
    assert median(beside) < 2 * median(alone)

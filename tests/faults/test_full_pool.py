"""All pooled connections of a web process are taken: no request waits for ever, writers go on."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import httpx
import psycopg
import pytest

from tests.concurrency.rush import Books, new_key
from tests.faults.web import Web
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

POOL = 20
BOUND = 15.0
"""Seconds: five until the lock timeout, as many for a connection, and some for the machine."""


@contextmanager
def locked(shop: LiveShop, statement: str, *values: str) -> Iterator[psycopg.Connection]:
    """Hold what the statement locks until `rollback`, or the block's end."""
    with psycopg.connect(shop.env["DATABASE_URL"]) as holder:
        holder.execute(statement, values)
        yield holder
        holder.rollback()


def waiting(books: Books) -> int:
    """How many connections wait for the categories, which every page of the shop reads."""
    return books.one(
        "SELECT count(*) FROM pg_locks WHERE relation = 'orders_category'::regclass AND NOT granted"
    )


@contextmanager
def full_pool(shop: LiveShop, web: Web, books: Books) -> Iterator[list[Future[httpx.Response]]]:
    """Have pages take every connection of the pool; yield the pages to come."""
    with ExitStack() as stack:
        shoppers = stack.enter_context(ThreadPoolExecutor(POOL + 10))
        stack.enter_context(locked(shop, "LOCK TABLE orders_category IN ACCESS EXCLUSIVE MODE"))
        pages = [shoppers.submit(web.get, "/") for _ in range(POOL + 10)]
        wait_until(lambda: waiting(books) >= POOL, seconds=30, what="all connections are taken")
        yield pages


def test_a_full_pool_stops_neither_writers_nor_answers(live_shop: LiveShop, books: Books) -> None:
    sku, key, product = books.add_product(stock=100), new_key(), "SELECT id FROM orders_product"
    with (
        closing(Web(live_shop, "tests.faults.long_deadline_web")) as web,
        ThreadPoolExecutor(1) as shopper,
        locked(
            live_shop,
            f"SELECT FROM orders_stock WHERE product_id = ({product} WHERE sku = %s) FOR UPDATE",
            sku,
        ) as holder,
    ):
        order = shopper.submit(web.order, sku, key)
        wait_until(lambda: is_waited_for(books), seconds=30, what="the order is with its writer")
        with full_pool(live_shop, web, books) as pages:
            begun = time.monotonic()
            holder.rollback()
            wait_until(lambda: books.available(sku) == 99, seconds=10, what="it is written")
            assert waiting(books) >= POOL, "it was written while the pool was full"
            assert web.get("/healthz").elapsed.total_seconds() < 2
            late = web.order(sku, new_key())
            answers = [page.result() for page in pages]
            placed = order.result()
            seconds = time.monotonic() - begun

        assert seconds < BOUND
        assert {answer.status_code for answer in answers} == {503}
        assert late is not None
        assert late.status_code in (201, 503)
        assert placed is not None
        assert placed.status_code == 201 or placed.json()["code"] == "outcome_unknown"
        repeat = web.order(sku, key)
        assert repeat is not None
        assert repeat.status_code == 200
        assert web.get("/").status_code == 200


def is_waited_for(books: Books) -> bool:
    """Does a writer wait for a row? (Only this test locks one.)"""
    return bool(books.one("SELECT count(*) FROM pg_locks WHERE NOT granted"))


@pytest.mark.slow
def test_control_without_timeouts_pages_keep_their_connections(
    live_shop: LiveShop, books: Books
) -> None:
    with (
        closing(Web(live_shop, "tests.faults.long_deadline_web", WITHOUT_TIMEOUTS="1")) as web,
        full_pool(live_shop, web, books) as pages,
    ):
        late = [web.get("/").status_code for _page in range(2)]  # each waits for one in vain

        assert late == [503, 503]
        assert sum(not page.done() for page in pages) == POOL

"""kill -9 of PostgreSQL under load: no accepted order is lost, and all processes reconnect."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from project.monitoring.health import SERVICES
from tests.concurrency.rush import Books, new_key, order_body, rush
from tests.faults.drift import drift
from tests.faults.shoppers import Shoppers, add_product, lost
from tests.live import LiveShop, wait_until
from tests.project.local.shop_processes import answers

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

RECONNECT_SECONDS = 10


def kill_database(shop: LiveShop, *children: int) -> None:
    """kill -9, of these children too; return when the supervisor's new one answers."""
    before = shop.pid("postgres")
    shop.kill("postgres")
    for child in children:
        os.kill(child, signal.SIGKILL)
    shop.wait_for_pid("postgres", other_than=before)
    wait_until(lambda: answers(shop.env["DATABASE_URL"]), seconds=60, what="PostgreSQL is back")


def test_a_killed_database_loses_no_accepted_order_and_all_processes_reconnect(
    live_shop: LiveShop,
) -> None:
    sku = add_product(live_shop)
    with Shoppers(live_shop, sku) as shoppers:
        shoppers.wait_for(100)

        kill_database(live_shop)

        back = time.monotonic()
        shoppers.wait_for(20)
        web_seconds = time.monotonic() - back
    with closing(Books(live_shop)) as books:
        fresh = (
            "SELECT count(DISTINCT split_part(name, '@', 1)) FROM project_heartbeat"
            " WHERE seen_at > pg_postmaster_start_time() AND split_part(name, '@', 1) = ANY(%s)"
        )
        wait_until(lambda: books.one(fresh, [*SERVICES]) == len(SERVICES), seconds=20)
        all_seconds = time.monotonic() - back
        books.cancel_jobs()  # those of the rush wait before it
        [answer] = rush(live_shop, [(new_key(), order_body((sku, 1)))])
        sent = (
            "SELECT count(*) FROM notifications_notification"
            " WHERE order_id = %s AND status = 'done'"
        )
        wait_until(lambda: books.one(sent, answer.body["id"]), seconds=20, what="its mail is sent")
        mail_seconds = time.monotonic() - back

        assert web_seconds < RECONNECT_SECONDS
        assert all_seconds < RECONNECT_SECONDS
        assert mail_seconds < RECONNECT_SECONDS + 2  # a mail's own time
        assert lost(books, shoppers.accepted) == set()
        assert [found for found in drift(books) if not found.startswith("sales")] == []
        wait_until(lambda: not drift(books), seconds=60, what="sales are settled")


@contextmanager
def asynchronous_commits(shop: LiveShop) -> Iterator[int]:
    """Have COMMIT answer before the disk has it, as `synchronous_commit = off` does.

    Yields the process that would write it to disk some 200 ms later: it is frozen.
    """
    with closing(Books(shop)) as books:
        books.connection.execute("ALTER ROLE tandem SET synchronous_commit = off")
        end_other_sessions(books)
        [(writer,)] = books.all("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(writer, signal.SIGSTOP)
    try:
        yield writer
    finally:
        with closing(Books(shop)) as books:
            books.connection.execute("ALTER ROLE tandem RESET synchronous_commit")
            end_other_sessions(books)


def end_other_sessions(books: Books) -> None:
    books.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = current_user AND pid <> pg_backend_pid()"
    )


@pytest.mark.slow
def test_control_with_asynchronous_commits_accepted_orders_are_lost(
    live_shop: LiveShop,
) -> None:
    sku = add_product(live_shop)
    with Shoppers(live_shop, sku) as shoppers, asynchronous_commits(live_shop) as writer:
        shoppers.wait_for(100)
        kill_database(live_shop, writer)

    with closing(Books(live_shop)) as books:
        assert lost(books, shoppers.accepted) != set()

"""Pages through the real PgBouncer in transaction mode, orders past it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from orders.models import Order, Product, Stock
from tests.clients import key_of
from tests.concurrency.web import Visitors, web
from tests.database import this_database
from tests.factories import add_product
from tests.live import wait_until
from tests.project.database.pgbouncer import pgbouncer, role_with_timeouts

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(240),
]
PAGES = ("/", "/products/tea/", "/?q=thing", "/cart/", "/api/v1/products", "/accounts/login/")
ROUNDS = 20


def test_a_shop_sells_through_a_pooler_that_shares_sessions(tmp_path: Path) -> None:
    add_product("TEA", stock=1_000_000)
    database = this_database()
    with (
        role_with_timeouts(database),
        pgbouncer(database, mode="transaction") as pooled,
        web(tmp_path, PAGES_DATABASE_URL=f"{pooled}?application_name=pages") as shop,
        Visitors(shop.url) as visitors,
        httpx.Client(base_url=shop.url, trust_env=False, timeout=30) as reader,
    ):
        wait_until(lambda: len(visitors.answers) > 50, seconds=60, what="orders are placed")
        read = [reader.get(page).status_code for _round in range(ROUNDS) for page in PAGES]
        sessions = sessions_of(database)

    assert Counter(visitors.answers) == {201: len(visitors.answers)}
    assert not visitors.failed
    assert Counter(read) == {200: ROUNDS * len(PAGES)}
    assert Order.objects.count() == len(visitors.answers)
    assert Stock.objects.get().available == 1_000_000 - len(visitors.answers)
    assert sessions["tandem-writer"] >= 1, "the writers have sessions of their own"
    assert sessions["pages"] >= 1, "and the pages go through the pooler"


def test_programs_that_write_products_through_it_leave_no_lock_behind(tmp_path: Path) -> None:
    database, key = this_database(), key_of()
    with (
        role_with_timeouts(database),
        pgbouncer(database, mode="transaction") as pooled,
        web(tmp_path, PAGES_DATABASE_URL=f"{pooled}?application_name=pages") as shop,
    ):

        def write(client: int) -> list[int]:
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(headers=headers, trust_env=False, timeout=30) as program:
                return [
                    program.post(
                        f"{shop.url}/api/v1/products",
                        json={"items": [product(f"P-{client}-{number}")]},
                    ).status_code
                    for number in range(5)
                ]

        with ThreadPoolExecutor(4) as programs:
            answers = Counter(each for found in programs.map(write, range(4)) for each in found)
        locks = advisory_locks(database)

    assert not locks
    assert answers == {200: 20}
    assert Product.objects.count() == 20


def product(sku: str) -> dict[str, Any]:
    return {"sku": sku, "name": sku, "category": "Cups", "price": "9.90"}


def advisory_locks(database: str) -> list[tuple[Any, ...]]:
    """Return the locks that sessions without work hold."""
    with psycopg.connect(database, autocommit=True) as session:
        return session.execute(
            "SELECT application_name, state, objid FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND datname = current_database() AND state = 'idle'"
        ).fetchall()


def sessions_of(database: str) -> Counter[str]:
    """Count the sessions with the database by their names."""
    with psycopg.connect(database, autocommit=True) as session:
        rows = session.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return Counter(name for (name,) in rows)

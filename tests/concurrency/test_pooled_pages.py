"""Pages through the real PgBouncer in transaction mode, orders past it."""

from collections import Counter
from pathlib import Path

import httpx
import psycopg
import pytest

from orders.models import Order, Stock
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


def sessions_of(database: str) -> Counter[str]:
    """Count the sessions with the database by their names."""
    with psycopg.connect(database, autocommit=True) as session:
        rows = session.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return Counter(name for (name,) in rows)

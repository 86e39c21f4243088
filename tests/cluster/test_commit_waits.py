"""A COMMIT waits for the standby, longer than a statement may take."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db.utils import ConnectionHandler

from project.conf.database import database
from project.local.embedded.postgres import DATABASE
from tests.cluster.pair import Pair, Server
from tests.live import wait_until

pytestmark = [pytest.mark.timeout(240), pytest.mark.django_db]

LIMIT = 1.0
"""Seconds of statement_timeout."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as servers:
        servers.first.set("synchronous_commit", "on")
        with psycopg.connect(servers.url, autocommit=True) as session:
            session.execute("CREATE TABLE written (word text)")
        yield servers


@contextmanager
def standby_away(pair: Pair) -> Iterator[Callable[[], None]]:
    """Let the standby follow no more, until the yielded function is called."""
    follows = pair.second.one("SHOW primary_conninfo")

    def comes_back() -> None:
        pair.second.set("primary_conninfo", follows)

    pair.second.set("primary_conninfo", "")
    wait_until(
        lambda: pair.first.one("SELECT count(*) FROM pg_stat_replication") == 0,
        seconds=20,
        what="nobody follows",
    )
    try:
        yield comes_back
    finally:
        comes_back()


def write(pair: Pair, word: str) -> None:
    """Write a word in a transaction of Django's, whose statements have a time limit."""
    settings = database(pair.url)
    settings["OPTIONS"]["options"] = f"-c statement_timeout={LIMIT * 1000:.0f}"
    connection = ConnectionHandler({"default": {}, "pair": settings})["pair"]
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO written VALUES (%s)", [word])
    connection.commit()
    connection.close()


def has(server: Server, word: str) -> bool:
    """Tell whether one can read the word there."""
    with server.session(dbname=DATABASE) as session:
        query = "SELECT count(*) FROM written WHERE word = %s"
        return session.execute(query, [word]).fetchone() == (1,)


def test_it_waits_for_longer_than_a_statement_may(pair: Pair) -> None:
    with ThreadPoolExecutor(1) as pool, standby_away(pair) as comes_back:
        writing = pool.submit(write, pair, "waited")
        with pytest.raises(TimeoutError):
            writing.result(3 * LIMIT)
        assert not has(pair.first, "waited"), "nobody reads it before the standby has it"

        comes_back()

        writing.result(30)
        assert has(pair.first, "waited")

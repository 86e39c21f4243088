"""The lag of a real standby, as `/metrics` tells it."""

from collections.abc import Iterator

import psycopg
import pytest

from project.monitoring.replication import standbys
from tests.cluster.pair import FOLLOWER, Pair
from tests.live import wait_until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(synchronous=False) as servers:
        yield servers


def lag(pair: Pair) -> dict[str, tuple[float, float | None]]:
    """Return the lags as the shop's own role sees them."""
    with psycopg.connect(pair.url) as session, session.cursor() as cursor:
        return {name: (seconds, behind) for name, seconds, behind in standbys(cursor)}


def test_a_role_that_is_not_in_pg_monitor_sees_no_standby(pair: Pair) -> None:
    with pair.first.session() as session, session.cursor() as cursor:
        assert len(standbys(cursor)) == 1
        session.execute("CREATE ROLE stranger")
        session.execute("SET ROLE stranger")

        assert standbys(cursor) == []


def test_a_standby_that_stands_still_falls_behind_until_it_goes_on(pair: Pair) -> None:
    wait_until(lambda: lag(pair)[FOLLOWER][1] == 0, seconds=30, what="it has all")

    pair.second.one("SELECT pg_wal_replay_pause()::text")
    with pair.first.session() as session:
        session.execute("CREATE TABLE written AS SELECT generate_series(1, 50000) AS number")
    wait_until(lambda: (lag(pair)[FOLLOWER][1] or 0) > 1_000_000, seconds=30, what="is behind")
    wait_until(lambda: lag(pair)[FOLLOWER][0] > 0.5, seconds=30, what="the time of it grows")

    pair.second.one("SELECT pg_wal_replay_resume()::text")
    wait_until(lambda: lag(pair)[FOLLOWER][1] == 0, seconds=30, what="it has all again")

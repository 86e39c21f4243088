"""A shop with two database servers loses the first one under load, and goes on with the second."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from project.monitoring.health import SERVICES
from tests.cluster.pair import Pair
from tests.concurrency.rush import Books
from tests.faults.drift import drift
from tests.faults.shoppers import Shoppers, add_product, lost
from tests.live import LiveShop, wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.timeout(400),
]

FIRST_ORDER_SECONDS = 15
"""From the loss to the next order, with the promotion."""


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with Pair(synchronous=getattr(request, "param", True)) as servers:
        yield servers


@pytest.fixture
def shop(pair: Pair) -> Iterator[LiveShop]:
    with LiveShop(environment={"DATABASE_URL": pair.url}) as running:
        yield running


def assert_whole(shop: LiveShop, accepted: list[str]) -> None:
    """No accepted order is lost, the books are right, and each process works on this server."""
    with closing(Books(shop)) as books:
        now = books.one("SELECT now()")
        fresh = (
            "SELECT count(DISTINCT split_part(name, '@', 1)) FROM project_heartbeat"
            " WHERE seen_at > %s AND split_part(name, '@', 1) = ANY(%s)"
        )
        wait_until(
            lambda: books.one(fresh, now, [*SERVICES]) == len(SERVICES),
            seconds=60,
            what="all processes are on the second server",
        )
        assert lost(books, accepted) == set()
        wait_until(lambda: not drift(books), seconds=60, what="the books are right")


def test_a_killed_primary_loses_no_answered_order(pair: Pair, shop: LiveShop) -> None:
    with Shoppers(shop, add_product(shop)) as shoppers:
        shoppers.wait_for(100)

        pair.first.kill()
        began = time.monotonic()
        pair.promote()
        shoppers.wait_for(1)

        assert time.monotonic() - began < FIRST_ORDER_SECONDS
        shoppers.wait_for(50)
    assert_whole(shop, shoppers.accepted)


@pytest.mark.slow
def test_a_primary_that_became_read_only_is_left_for_the_one_that_takes_writes(
    pair: Pair, shop: LiveShop
) -> None:
    """A switch-over: the old server still lives, and answers whoever asks to read."""
    with Shoppers(shop, add_product(shop)) as shoppers:
        shoppers.wait_for(100)

        pair.first.set("default_transaction_read_only", "on")
        began = time.monotonic()
        pair.promote()
        shoppers.wait_for(1)

        assert time.monotonic() - began < FIRST_ORDER_SECONDS
        shoppers.wait_for(50)
    assert_whole(shop, shoppers.accepted)
    assert 500 not in shoppers.statuses


@pytest.mark.slow
@pytest.mark.parametrize("pair", [False], indirect=True)
def test_control_without_synchronous_commit_answered_orders_are_lost(
    pair: Pair, shop: LiveShop
) -> None:
    with Shoppers(shop, add_product(shop)) as shoppers:
        shoppers.wait_for(50)
        pair.second.set("primary_conninfo", "")  # it follows no more
        shoppers.wait_for(50)

        pair.first.kill()
        pair.promote()
        shoppers.wait_for(1)

    with closing(Books(shop)) as books:
        assert lost(books, shoppers.accepted) != set()

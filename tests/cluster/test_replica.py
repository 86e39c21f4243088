"""The desk's lists and exports from a real standby: what its operator wrote is there at once."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.pair import Pair
from tests.cluster.replica_shop import (
    Desk,
    add_order,
    desk,
    make_shop,
    manage,
    pause,
    primary_url,
    resume,
)
from tests.live import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.timeout(300),
]

PRIMARY, REPLICA = "default", "replica"
ANSWER_SECONDS = 8
"""For a page whose replica has just died: the bound of its connection and the primary's answer."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(synchronous=False) as servers:
        make_shop(servers)
        yield servers


@pytest.fixture(scope="module")
def operator(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An operator of a shop whose replica may be a minute behind."""
    with desk(pair, tmp_path_factory.mktemp("web"), REPLICA_LAG_SECONDS="60") as found:
        yield found


@pytest.fixture
def stopped_replay(pair: Pair, operator: Desk) -> Iterator[None]:
    """A standby that has had everything until now, and replays nothing more."""
    resume(pair)
    operator.wait_for(REPLICA)
    pause(pair)
    yield
    resume(pair)


@pytest.mark.usefixtures("stopped_replay")
def test_lists_and_exports_come_from_the_standby(pair: Pair, operator: Desk) -> None:
    add_order(pair, "Somebody Else")

    assert "Somebody Else" not in operator.orders()
    assert "Somebody Else" not in operator.orders(q="somebody")
    assert "Somebody Else" not in operator.export()

    resume(pair)
    assert "Somebody Else" in operator.orders()
    assert "Somebody Else" in operator.orders(q="somebody")
    assert "Somebody Else" in operator.export()


def packed(page: str) -> bool:
    """Tell whether the only order of the list is packed."""
    return "Packed" in page.split("<tbody", 1)[1].split("</tbody", 1)[0]


def test_an_own_write_is_seen_at_once_and_then_read_from_the_standby_again(
    pair: Pair, operator: Desk
) -> None:
    order = add_order(pair, "Own Write")
    resume(pair)
    operator.wait_for(REPLICA)
    assert not packed(operator.orders(q="own write"))
    pause(pair)

    operator.pack(order)

    assert packed(operator.orders(q="own write"))
    assert "Packed" in next(row for row in operator.export().splitlines() if "Own Write" in row)
    resume(pair)
    operator.wait_for(REPLICA)
    assert packed(operator.orders(q="own write"))


def test_control_without_the_mark_the_own_write_is_missing(pair: Pair, operator: Desk) -> None:
    order = add_order(pair, "Control Case")
    resume(pair)
    operator.wait_for(REPLICA)
    pause(pair)
    try:
        operator.pack(order)
        operator.browser.cookies.delete("tandem_written")

        assert not packed(operator.orders(q="control case"))
    finally:
        resume(pair)


@pytest.mark.slow
def test_a_standby_that_is_too_far_behind_is_left_out(pair: Pair, tmp_path: Path) -> None:
    with desk(pair, tmp_path, REPLICA_LAG_SECONDS="2") as operator:
        operator.wait_for(REPLICA)
        pause(pair)
        try:
            add_order(pair, "Behind Case")
            operator.wait_for(PRIMARY, "behind")

            assert "Behind Case" in operator.orders()
            assert "the replica is left out" in operator.said()
        finally:
            resume(pair)
        operator.wait_for(REPLICA)
        assert "the replica answers" in operator.said()


@pytest.mark.slow
@pytest.mark.usefixtures("operator")
def test_a_job_waits_for_the_standby_and_else_reads_from_the_primary(pair: Pair) -> None:
    asks = "from project.replica.reading import caught_up; print('reads', caught_up(within=1))"
    resume(pair)
    assert "reads replica" in manage(pair, "shell", "-c", asks)

    pause(pair)
    try:
        add_order(pair, "Job Case")
        assert "reads default" in manage(pair, "shell", "-c", asks)
    finally:
        resume(pair)


@pytest.mark.slow
def test_a_primary_under_the_replicas_address_is_left_out(pair: Pair, tmp_path: Path) -> None:
    with desk(pair, tmp_path, REPLICA_DATABASE_URL=primary_url(pair)) as operator:
        operator.wait_for(PRIMARY, "away")

        assert "no standby" in operator.said()
        assert operator.reads(REPLICA) == 0


def test_pages_and_exports_answer_when_the_standby_is_killed(pair: Pair, operator: Desk) -> None:
    resume(pair)
    add_order(pair, "Killed Case")
    operator.wait_for(REPLICA)

    pair.second.kill()
    began = time.monotonic()
    pages = [operator.orders(), operator.export(), operator.orders(), operator.orders()]
    took = time.monotonic() - began

    assert all("Killed Case" in page for page in pages)
    assert took < ANSWER_SECONDS
    operator.wait_for(PRIMARY, "away")

    pair.second.start()
    wait_until(pair.second.answers, seconds=60, what="the standby is back")
    operator.wait_for(REPLICA)
    assert "Killed Case" in operator.orders()

"""The soak of `bench placement` finds deadlocks where there are some."""

import itertools
from typing import Any

import pytest

from orders.benchmarks.placement.deadlocks import count_deadlocks, deadlock_row
from orders.benchmarks.placement.processes import scratch_environment
from orders.benchmarks.placement.shop import HOT_BASKET
from orders.benchmarks.placement.variants import PATIENT, UNSORTED, VARIANTS
from orders.placing import placement
from orders.placing.row_locks import RowLocks
from orders.placing.writers import start_writers, writers
from tests.orders.placing.threads import wait_until
from tests.races import at_once

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("bench_shop"),
]


def test_hot_baskets_never_deadlock() -> None:
    row = deadlock_row(PATIENT, scratch_environment(), seconds=2, clients=8)

    assert row["orders"] >= 8
    assert (row["deadlocks"], row["failed"]) == (0, 0)


def test_control_the_textbook_in_the_order_of_the_basket_deadlocks() -> None:
    row = deadlock_row(UNSORTED, scratch_environment(), seconds=3, clients=8)

    assert row["deadlocks"] >= 1
    assert row["failed"] >= 1


def test_control_writers_that_lock_in_no_order_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    in_order = RowLocks.acquire

    def in_no_order(self: RowLocks, connection: Any, product_ids: Any) -> Any:
        if "random()" not in self._wait:
            # The pause before each lock is the time in which the other writer takes one.
            self._wait = self._wait.replace(" FROM", ", pg_sleep(0.01) FROM", 1).replace(
                "ORDER BY counter.product_id", "ORDER BY random()"
            )
        return in_order(self, connection, product_ids)

    monkeypatch.setattr(RowLocks, "acquire", in_no_order)
    pairs = [writers(), start_writers(name="other-")]
    turns = itertools.cycle(pairs)
    monkeypatch.setattr(placement, "writers", lambda: next(turns))
    before = count_deadlocks()

    with VARIANTS[PATIENT].around():
        at_once([HOT_BASKET.request() for _order in range(100)])

    assert all(committer.drain(timeout=20) for pair in pairs for committer in vars(pair).values())
    assert wait_until(lambda: count_deadlocks() > before, seconds=20)

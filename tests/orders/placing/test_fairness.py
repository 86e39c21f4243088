"""A product that could not be locked gets its turn beside other processes' writers.

Each promise has a control: without a lane that queues, it is broken.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from django.db import connections

from orders.models import Product, Stock
from orders.placing import row_patience
from orders.placing.errors import ShopBusy
from orders.placing.placement import Placement
from orders.placing.row_locks import RowLocks
from orders.placing.suspects import Suspects
from orders.placing.writers import MAX_STUCK, writers
from project.group_commit import patient_lane
from project.models import DeferralCount
from project.monitoring.audit import run_audit
from tests.database import this_database
from tests.factories import add_product, order_request
from tests.orders.placing.convoy import Convoy
from tests.orders.placing.held_row import HOLD, held
from tests.orders.placing.threads import wait_until
from tests.races import at_once
from tests.time_bounds import stretched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

PROCESSES = 4
CLIENTS = 50
"""Of each process."""


def orders(sku: str, number: int) -> list[Any]:
    return at_once([order_request((sku, 1)) for _ in range(number)], clients=number)


def suspects() -> Suspects:
    return writers().stock._lane.patience._locks.suspects


def make_suspect(product: Product, *, holder: str = "tandem-writer") -> None:
    """Have the stock writer suspect the product, as after a lock timeout."""
    with held(product, application=holder):
        suspects().add(connections["writer"], {product.pk})
    connections["writer"].close()
    assert suspects().among({product.pk})


# ── Beside other writers ────────────────────────────────────────────────────────────────────
def test_a_product_that_was_held_gets_its_turn_beside_other_writers() -> None:
    hot = add_product("HOT")
    make_suspect(hot)

    with Convoy(hot.pk):
        outcomes = orders("HOT", 40)

    assert [type(outcome) for outcome in outcomes] == [Placement] * 40
    assert Stock.objects.get().available == 60
    assert run_audit().is_clean


def test_control_without_queueing_it_never_gets_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    hot = add_product("HOT")
    make_suspect(hot)
    monkeypatch.setattr(RowLocks, "queue_for_one", lambda *args: time.sleep(0.02))

    with Convoy(hot.pk, sessions=1):
        outcomes = orders("HOT", 40)

    assert [type(outcome) for outcome in outcomes] == [ShopBusy] * 40


@pytest.mark.parametrize("sessions", [1, 2])
def test_a_basket_of_two_products_that_are_both_in_demand_is_placed(sessions: int) -> None:
    first, second = add_product("A"), add_product("B")
    make_suspect(first)
    make_suspect(second)

    with (
        Convoy(first.pk, sessions=sessions, seconds=0.05),
        Convoy(second.pk, sessions=sessions, seconds=0.05),
    ):
        outcomes = at_once([order_request(("A", 1), ("B", 1)) for _ in range(10)], clients=10)

    assert [type(outcome) for outcome in outcomes] == [Placement] * 10
    assert run_audit().is_clean


def test_control_a_basket_that_waits_for_one_product_at_a_time_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        RowLocks,
        "queue_for_basket",
        lambda locks, connection, products: locks.queue_for_one(connection, products),
    )
    first, second = add_product("A"), add_product("B")
    make_suspect(first)
    make_suspect(second)

    with (
        Convoy(first.pk, sessions=1, seconds=0.05),
        Convoy(second.pk, sessions=1, seconds=0.05),
    ):
        outcomes = at_once([order_request(("A", 1), ("B", 1)) for _ in range(10)], clients=10)

    assert [type(outcome) for outcome in outcomes] == [ShopBusy] * 10


def test_after_a_hold_all_is_as_before() -> None:
    hot = add_product("HOT")
    with held(hot):
        assert [type(outcome) for outcome in orders("HOT", 20)] == [ShopBusy] * 20
        assert suspects().are_stuck({hot.pk})
    assert wait_until(lambda: not suspects().among({hot.pk}), seconds=stretched(2.0))

    outcomes = orders("HOT", 40)

    assert [type(outcome) for outcome in outcomes] == [Placement] * 40


def test_a_product_that_nobody_asks_for_any_more_is_not_suspected_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient_lane, "IDLE_SECONDS", 0)
    hot = add_product("HOT")
    with held(hot):
        orders("HOT", 1)
        assert wait_until(lambda: not suspects().among({hot.pk}), seconds=30)

    assert not writers().stock._lane._running


# ── Others meanwhile ────────────────────────────────────────────────────────────────────────
def test_few_may_wait_for_what_a_stranger_holds_and_others_go_on() -> None:
    stuck = add_product("STUCK")
    add_product("FREE")
    with held(stuck), ThreadPoolExecutor(1) as pool:
        rush = pool.submit(orders, "STUCK", 40)
        assert wait_until(lambda: suspects().are_stuck({stuck.pk}), seconds=30)
        began = time.monotonic()
        free = orders("FREE", 5)
        waited = time.monotonic() - began
        assert wait_until(lambda: len(writers().stock._lane._waiting) <= MAX_STUCK, seconds=30)
        outcomes = rush.result(timeout=30)

    assert waited < stretched(2.0)
    assert [type(outcome) for outcome in free] == [Placement] * 5
    assert [type(outcome) for outcome in outcomes] == [ShopBusy] * 40


def test_all_may_wait_for_what_another_writer_holds() -> None:
    hot = add_product("HOT")
    with held(hot, application="tandem-writer") as writer, ThreadPoolExecutor(1) as pool:
        rush = pool.submit(orders, "HOT", 40)
        assert wait_until(lambda: bool(suspects().among({hot.pk})), seconds=30)
        assert not suspects().are_stuck({hot.pk})
        writer.rollback()
        outcomes = rush.result(timeout=30)

    assert [type(outcome) for outcome in outcomes] == [Placement] * 40


def test_a_writer_that_holds_a_product_for_very_long_counts_as_a_stranger() -> None:
    hot = add_product("HOT")
    with held(hot, application="tandem-writer"), ThreadPoolExecutor(1) as pool:
        rush = pool.submit(orders, "HOT", 1)
        assert wait_until(lambda: suspects().are_stuck({hot.pk}), seconds=30)
        rush.result(timeout=30)


# ── What is told ────────────────────────────────────────────────────────────────────────────
def test_deferrals_are_counted_for_all_processes_and_logged_with_the_product(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hot = add_product("HOT-1")
    DeferralCount.objects.add("stock-writer", 5)  # by another process
    with caplog.at_level(logging.WARNING, logger=row_patience.__name__), held(hot):
        orders("HOT-1", 12)

    lines = [record.getMessage() for record in caplog.records]
    assert lines
    assert all("HOT-1" in line and "psql, idle in transaction" in line for line in lines)
    times = [record.created for record in caplog.records]
    assert all(after - before >= 0.9 for before, after in pairwise(times))
    assert wait_until(
        lambda: DeferralCount.objects.get(writer="stock-writer").items >= 5 + 12, seconds=30
    )


# ── Four processes ──────────────────────────────────────────────────────────────────────────
class Processes:
    """Real processes that order the same product; `rush` runs them for so many seconds."""

    def __init__(
        self, sku: str, *extra: str, number: int = PROCESSES, clients: int = CLIENTS
    ) -> None:
        self._processes = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.orders.placing.hot_process",
                    sku,
                    str(clients),
                    *extra,
                ],
                env=os.environ | {"DATABASE_URL": this_database(), "TANDEM_WEB_PROCESS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for _process in range(number)
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def begin(self, seconds: float) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()

    def results(self) -> list[dict[str, Any]]:
        return [json.loads(process.stdout.readline()) for process in self._processes]

    def close(self) -> None:
        for process in self._processes:
            process.communicate(timeout=60)


@contextmanager
def hot_processes(sku: str, *extra: str, **sizes: int) -> Iterator[Processes]:
    """Run processes that order one product: four of them, unless `number` says otherwise."""
    processes = Processes(sku, *extra, **sizes)
    try:
        yield processes
    finally:
        processes.close()


def placed(results: list[dict[str, Any]], *, after: float = 0.0) -> list[int]:
    """Return how many orders each process placed from then on."""
    return [sum(second > after for second in result["placed"]) for result in results]


def refused(results: list[dict[str, Any]], *, after: float = 0.0) -> int:
    """Return how many orders were refused from then on."""
    return sum(
        second > after
        for result in results
        for seconds in result["refused"].values()
        for second in seconds
    )


@pytest.mark.slow
def test_four_processes_share_a_hot_product_before_and_after_a_hold() -> None:
    hot = add_product("HOT", stock=10**6)
    as_before = 1 + HOLD + stretched(2.0)
    with hot_processes("HOT") as processes:
        processes.begin(6)
        calm = processes.results()
        processes.begin(as_before + 4)
        time.sleep(1)
        with held(hot):
            time.sleep(HOLD)
        after_hold = processes.results()

    assert refused(calm) == 0
    assert min(placed(calm)) > sum(placed(calm)) / PROCESSES / 2
    assert refused(after_hold, after=as_before) == 0
    shares = placed(after_hold, after=as_before)
    assert min(shares) > sum(shares) / PROCESSES / 2
    orders_placed = sum(placed(calm)) + sum(placed(after_hold)) + PROCESSES
    assert Stock.objects.get().available == 10**6 - orders_placed


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 4, 8])
@pytest.mark.parametrize("clients", [32, 256])
def test_no_order_is_refused_and_each_process_gets_its_share(number: int, clients: int) -> None:
    add_product("HOT", stock=10**6)
    with hot_processes("HOT", number=number, clients=clients // number) as processes:
        processes.begin(2)  # connections, plans, caches
        first = processes.results()
        processes.begin(5)
        calm = processes.results()

    shares = placed(calm)
    print(
        f"{number} processes, {clients} clients: {shares}, slowest", max(r["slowest"] for r in calm)
    )
    assert refused(calm) == 0
    assert min(shares) > sum(shares) / number / 2
    orders_placed = sum(placed(first)) + sum(shares) + number
    assert Stock.objects.get().available == 10**6 - orders_placed


@pytest.mark.slow
def test_control_without_queueing_four_processes_are_refused_long_after_a_hold() -> None:
    hot = add_product("HOT", stock=10**6)
    with hot_processes("HOT", "impatient") as processes:
        convoy = Convoy(hot.pk, seconds=0.05)
        processes.begin(7)
        time.sleep(1)
        # Other writers take over from the one who held it: the row is never free.
        with held(hot):
            time.sleep(HOLD)
            convoy.begin()
        results = processes.results()
        convoy.end()

    assert refused(results, after=1 + HOLD + 2.0) > 0

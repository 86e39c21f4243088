"""The ratios of `bench placement`, and what of them is a missed target."""

from typing import Any

import pytest

from orders.benchmarks.placement.judgement import (
    DEADLOCKS,
    NETWORK,
    ONE_PROCESS,
    PGBENCH,
    TARGETS,
    TWO_PROCESSES,
    judge,
)
from orders.benchmarks.placement.variants import (
    COUNTED,
    FRESH,
    LOCKED,
    PATIENT,
    SEQUENTIAL,
    TANDEM,
    TEXTBOOK,
    UNSORTED,
)


def row(part: str, variant: str, per_second: float = 100.0, **more: Any) -> dict[str, Any]:
    fields = {"basket": "hot", "lines": 1, "clients": 32, "p50_ms": 10.0, "p99_ms": 20.0}
    return {"part": part, "variant": variant, **fields, "per_second": per_second} | more


def others(**case: Any) -> list[dict[str, Any]]:
    """The rows of the ways that Tandem is compared with."""
    return [row(ONE_PROCESS, variant, **case) for variant in (TEXTBOOK, LOCKED, FRESH)]


def test_tandem_is_compared_with_the_other_ways_of_the_same_case() -> None:
    rows = [
        *others(),
        *others(basket="spread", per_second=1.0),
        row(ONE_PROCESS, TANDEM, 900.0, p99_ms=1.0),
        row(ONE_PROCESS, COUNTED, 450.0),
    ]

    report = judge(rows)

    assert report.ratios["orders/s to the textbook, 32 clients, hot"] == 9.0
    assert report.ratios["orders/s to select_for_update, 32 clients, hot"] == 9.0
    assert report.ratios["orders/s to two fresh threads, 32 clients, hot"] == 9.0
    assert report.ratios["orders/s with limits, 32 clients, hot"] == 0.5
    assert report.missed == []


@pytest.mark.parametrize("basket", ["spread", "hot", "hot baskets"])
def test_less_than_eight_times_the_textbook_misses_the_target(basket: str) -> None:
    report = judge(
        [
            *others(basket=basket),
            row(ONE_PROCESS, TANDEM, 799.0, basket=basket, p99_ms=1.0),
        ]
    )

    name = f"orders/s to the textbook, 32 clients, {basket}"
    assert report.missed == [f"{name} is 7.99, wanted at least 8"]


def test_a_long_p99_on_the_hot_product_misses_the_target() -> None:
    report = judge([*others(), row(ONE_PROCESS, TANDEM, 900.0, p99_ms=1.1)])

    assert report.missed == ["p99 to the textbook, 32 clients, hot is 0.055, wanted at most 0.05"]


@pytest.mark.parametrize("basket", ["spread", "hot", "hot baskets"])
def test_one_client_that_waits_more_than_the_bound_misses_the_target(basket: str) -> None:
    case: dict[str, Any] = {"basket": basket, "clients": 1}

    report = judge([*others(**case), row(ONE_PROCESS, TANDEM, p50_ms=6.1, **case)])

    name = f"p50 to the textbook, 1 client, {basket}"
    assert report.missed == [f"{name} is 0.61, wanted at most 0.6"]


def test_the_best_of_pgbench_counts() -> None:
    rates = [row(TWO_PROCESSES, PGBENCH, rate, clients=rate) for rate in (50, 100, 80)]

    report = judge([row(TWO_PROCESSES, TANDEM, 140.0), *rates])

    name = "orders/s to pgbench, two processes, hot"
    assert report.missed == [f"{name} is 1.4, wanted at least 1.5"]


def test_what_the_two_threads_bring_is_said_for_each_distance_and_has_no_target() -> None:
    rows = [
        row(NETWORK, variant, rate, delay_ms=delay, clients=1)
        for delay in (0, 5)
        for variant, rate in ((TANDEM, 120.0 + delay), (SEQUENTIAL, 100.0))
    ]

    report = judge(rows)

    assert report.ratios["orders/s to one after the other, 0 ms away, 1 client"] == 1.2
    assert report.ratios["orders/s to one after the other, 5 ms away, 1 client"] == 1.25
    assert report.targets == {}


@pytest.mark.parametrize(
    ("deadlocks", "failed", "control", "missed"),
    [
        (0, 0, 7, []),
        (1, 0, 7, ["deadlocks is 1, wanted at most 0"]),
        (0, 1, 7, ["orders that failed beside them is 1, wanted at most 0"]),
        (0, 0, 0, ["deadlocks of the control is 0, wanted at least 1"]),
    ],
)
def test_a_deadlock_a_failed_order_or_a_control_without_any_misses_the_target(
    deadlocks: int, failed: int, control: int, missed: list[str]
) -> None:
    report = judge(
        [
            row(DEADLOCKS, UNSORTED, deadlocks=control, failed=control),
            row(DEADLOCKS, PATIENT, deadlocks=deadlocks, failed=failed),
        ]
    )

    assert report.missed == missed
    assert report.targets.keys() <= TARGETS.keys()

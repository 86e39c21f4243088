"""The clients of `bench placement`: what they count, and the round that counts."""

from collections import Counter
from contextlib import nullcontext

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError

from orders.benchmarks.placement.load import Load, in_turns, load, together
from orders.benchmarks.placement.shop import HOT_ONE
from orders.benchmarks.placement.variants import Variant
from orders.placing.request import OrderRequest


def rate(per_second: int) -> Load:
    return Load(1.0, [1 / per_second] * per_second)


def test_each_client_places_orders_of_its_own() -> None:
    keys: list[str] = []
    variant = Variant(lambda request: keys.append(request.key), nullcontext)

    placed = load(variant, HOT_ONE, clients=3, seconds=0)

    assert len(set(keys)) == len(placed.latencies) == 3
    assert not placed.failed


def test_an_order_that_fails_is_counted_by_its_cause_and_has_no_latency() -> None:
    def fail(_request: OrderRequest) -> None:
        raise OperationalError from ValueError()

    placed = load(Variant(fail, nullcontext), HOT_ONE, clients=2, seconds=0)

    assert placed.failed == {"ValueError": 2}
    assert placed.figures() == {"per_second": 0.0}


def test_the_median_round_counts_and_its_neighbours_are_told() -> None:
    rounds = iter([rate(30), rate(10), rate(20)])

    figures = in_turns({"tandem": lambda: next(rounds)}, rounds=3)["tandem"]

    assert (figures["per_second"], figures["least"], figures["most"]) == (20, 10, 30)


def test_the_ways_take_turns() -> None:
    asked: list[str] = []

    def way(name: str) -> Load:
        asked.append(name)
        return rate(10)

    in_turns({"a": lambda: way("a"), "b": lambda: way("b")}, rounds=2)

    assert asked == ["a", "b", "a", "b"]


def test_a_round_with_a_failed_order_is_no_measurement() -> None:
    broken = Load(1.0, [0.1], Counter({"DeadlockDetected": 1}))

    with pytest.raises(CommandError, match="DeadlockDetected"):
        in_turns({"textbook": lambda: broken}, rounds=1)


def test_the_orders_of_two_processes_count_together() -> None:
    both = together([Load(1.0, [0.1, 0.2], Counter(Busy=1)), Load(2.0, [0.3], Counter(Busy=2))])

    assert (both.seconds, sorted(both.latencies), both.failed) == (
        2.0,
        [0.1, 0.2, 0.3],
        {"Busy": 3},
    )
    assert both.per_second == 1.5

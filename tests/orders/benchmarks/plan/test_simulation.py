"""The simulation of `bench plan`, against results that are known without one."""

from dataclasses import replace

import pytest

from orders.benchmarks.plan.parameters import BatchCost, Parameters, WriterCost
from orders.benchmarks.plan.simulation import Demand, Layout, simulate

FREE = BatchCost(0.0, 0.0, 0.0)
NOTHING = Parameters(
    web=0.0, read=0.0, stock=WriterCost(FREE, FREE), sales=WriterCost(FREE, FREE), flush=0.001
)
ONE = Layout(nodes=1, processes=1)


def batch(fixed: float, two_lines: float, one_line: float = 0.0) -> BatchCost:
    return BatchCost(fixed, one_line, two_lines)


def test_one_client_alone_waits_for_each_step_once() -> None:
    costs = Parameters(
        web=0.002,
        read=0.001,
        stock=WriterCost(python=batch(0.001, 0.001), database=batch(0.002, 0.001)),
        sales=WriterCost(FREE, FREE),
        flush=0.003,
    )

    found = simulate(costs, ONE, Demand(share=0, clients=1))

    assert found.percentile_ms(50) == pytest.approx(2 + 1 + 2 + 3 + 3)
    assert found.per_second == pytest.approx(1 / 0.011, rel=0.01)


def test_a_web_process_that_orders_reach_at_random_is_the_queue_of_the_textbook() -> None:
    """M/D/1, by Pollaczek and Khinchine: the mean wait is rho / (2 (1 - rho)) services."""
    service, load = 0.01, 0.8
    costs = replace(NOTHING, web=service, flush=0.0)

    layout = replace(ONE, writers_at_nodes=True)  # no writer waits in this queue as well
    demand = Demand(share=0, rate=load / service)
    found = simulate(costs, layout, demand, seconds=400, warm_up=20)

    mean = sum(found.latencies) / len(found.latencies)
    assert mean == pytest.approx(service * (1 + load / (2 * (1 - load))), rel=0.1)


def test_the_cores_of_a_node_bound_what_it_does() -> None:
    costs = replace(NOTHING, read=0.004)

    found = simulate(costs, replace(ONE, processes=4), Demand(share=0, clients=64))

    assert found.per_second == pytest.approx(2 / 0.004, rel=0.02)


def test_a_batch_pays_once_for_all_its_orders() -> None:
    alone = replace(NOTHING, stock=WriterCost(FREE, batch(fixed=0.01, two_lines=0.0)))

    few = simulate(alone, ONE, Demand(share=0, clients=1))
    many = simulate(alone, ONE, Demand(share=0, clients=64))

    assert many.per_second > 30 * few.per_second


def test_two_nodes_do_twice_as_much_and_less_if_orders_are_on_both() -> None:
    costs = replace(
        NOTHING, stock=WriterCost(FREE, batch(fixed=0.002, two_lines=0.004, one_line=0.003))
    )
    layout = Layout(nodes=2, processes=2, writers_at_nodes=True)
    one = simulate(costs, replace(layout, nodes=1), Demand(share=0, clients=64), seconds=30)

    two, both = (
        simulate(costs, layout, Demand(share, clients=128), seconds=30) for share in (0.0, 1.0)
    )

    assert two.per_second == pytest.approx(2 * one.per_second, rel=0.05)
    # Each node has a part of each order: 3 ms instead of 4 for every second one.
    assert both.per_second == pytest.approx(two.per_second * 4 / (2 * 3), rel=0.05)


def test_one_machine_has_its_cores_once() -> None:
    costs = replace(NOTHING, web=0.002, read=0.002)
    layout = Layout(nodes=2, processes=2, one_machine=True)

    found = simulate(costs, layout, Demand(share=0, clients=32))

    assert found.per_second == pytest.approx(2 / 0.004, rel=0.05)


def test_the_same_seed_has_the_same_outcome() -> None:
    costs = replace(NOTHING, web=0.001)

    one, again, other = (
        simulate(costs, ONE, Demand(share=0, rate=500), seed=seed) for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other

"""What the simulation says of shops that are larger than this machine."""

from collections.abc import Iterator
from math import ceil
from typing import Any

from orders.benchmarks.plan.parameters import Parameters
from orders.benchmarks.plan.simulation import Demand, Layout, Outcome, simulate

NODES = (1, 2, 4, 8)
SHARES = (0.0, 0.1, 0.5)
"""Of the orders, those on two nodes."""
BUSY = 0.7
"""How much of a web process's time its orders may take."""
CLIENTS = 32
"""Of each web process, where the most that a shop can do is looked for."""
MOST_P99_MS = 250.0
LEAST_PLACED = 0.96
"""Of the orders that come in a second, which chance makes more or fewer. A plan has both."""
MOST_NODES = 64
"""More aren't tried."""
SECONDS, WARM_UP = 1.0, 0.4
"""Of the simulated shop."""
HERE, THERE = "in each web process", "at the node"
"""Where a node's writers are."""

Row = dict[str, Any]


def capacities(parameters: Parameters) -> Iterator[Row]:
    """Yield what shops of 1 to 8 nodes can do at most, by the share of orders on two nodes."""
    for writers in (HERE, THERE):
        for nodes in NODES:
            for share in SHARES if nodes > 1 else SHARES[:1]:
                rate = nodes * _of_one_node(parameters)
                layout = _layout(parameters, nodes, writers, rate=rate, share=share)
                demand = Demand(share, clients=CLIENTS * layout.processes)
                found = simulate(parameters, layout, demand, seconds=SECONDS, warm_up=WARM_UP)
                yield _row("capacity", writers, layout, share, found)


def plans(parameters: Parameters, rates: tuple[int, ...]) -> Iterator[Row]:
    """Yield for each rate the fewest nodes that place its orders in time."""
    for rate in rates:
        for writers in (HERE, THERE):
            for share in SHARES:
                yield _plan(parameters, rate, writers, share) | {"rate": rate}


def _plan(parameters: Parameters, rate: int, writers: str, share: float) -> Row:
    """Return the fewest nodes by halving; none if MOST_NODES don't do.

    Fewer than half of those whose cores could just compute the orders are not tried.
    """

    def tried(nodes: int) -> tuple[Layout, Outcome]:
        layout = _layout(parameters, nodes, writers, rate=rate, share=share)
        return layout, simulate(
            parameters, layout, Demand(share, rate=rate), seconds=SECONDS, warm_up=WARM_UP
        )

    most = max(1, ceil(rate / _of_one_node(parameters)))
    least = most // 2
    found = tried(most)
    while not _is_good(found[1], rate) and most < MOST_NODES:
        least, most = most, min(2 * most, MOST_NODES)
        found = tried(most)
    while most - least > 1:
        middle = (least + most) // 2
        if _is_good((better := tried(middle))[1], rate):
            most, found = middle, better
        else:
            least = middle
    row = _row("plan", writers, found[0], share, found[1])
    return row if _is_good(found[1], rate) else row | {"nodes": None}


def _is_good(outcome: Outcome, rate: int) -> bool:
    is_placed = outcome.per_second >= LEAST_PLACED * rate
    return is_placed and outcome.percentile_ms(99) <= MOST_P99_MS


def _of_one_node(parameters: Parameters) -> float:
    """Return the orders a second that the cores of one node can compute in batches of 32."""
    writers = (parameters.stock.database, parameters.sales.database)
    each = parameters.read + sum(cost.of([2] * 32) / 32 for cost in writers)
    return 2 / each


def _layout(
    parameters: Parameters, nodes: int, writers: str, *, rate: float, share: float
) -> Layout:
    """Return a shop with as many web processes as the rate needs."""
    each = parameters.web
    if writers == HERE:  # with many nodes each batch has one part
        parts = 1 + share
        each += parts * sum(cost.python.of([2]) for cost in (parameters.stock, parameters.sales))
    processes = max(2, ceil(rate * each / BUSY))
    return Layout(nodes, processes, writers_at_nodes=writers == THERE)


def _row(part: str, writers: str, layout: Layout, share: float, found: Outcome) -> Row:
    return {
        "part": part,
        "writers": writers,
        "nodes": layout.nodes,
        "web": layout.processes,
        "share": share,
        "per_second": round(found.per_second),
        "p50_ms": round(found.percentile_ms(50), 1),
        "p99_ms": round(found.percentile_ms(99), 1),
    }

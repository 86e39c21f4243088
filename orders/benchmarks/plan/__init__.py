"""`bench plan`: how many PostgreSQL nodes so many orders a second need, by a checked simulation.

`servers` starts two embedded servers, `running` the web processes on them. Each of these has
`nodes` (the shop on several databases) and measures `commits`. `parameters` come from loads of one
database, `simulation` is the shop as queues, and the same two databases check it; `planning` asks
it about larger shops.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandError

from orders.benchmarks.plan import commits, planning
from orders.benchmarks.plan.parameters import Parameters, flush_seconds, parameters
from orders.benchmarks.plan.running import PROCESSES, Load, Shop, shop
from orders.benchmarks.plan.servers import running_nodes
from orders.benchmarks.plan.simulation import Demand, Layout, Outcome, simulate
from project.benchmarks import Report, judged

SIZES = (10_000,)
"""Orders a second to plan for."""
CLIENTS = 32
SECONDS = 4.0
ROUNDS = 3
"""The loads take turns, so that other work on the machine hits all. The median round counts."""
CHECKED = ((1, 0.0), (2, 0.0), (2, 0.5), (2, 1.0))
"""The shops that are run and simulated: nodes, and the share of orders on both."""
BATCHES = (1, 32)
"""Orders of the batches of which commits are compared."""
TARGETS = {
    f"simulated to measured orders/s, nodes: {nodes}, on both: {share:.0%}": {
        "at_least": 0.7,
        "at_most": 1.4,
    }
    for nodes, share in CHECKED
}

Row = dict[str, Any]


def bench_plan(rates: tuple[int, ...] = SIZES) -> Report:
    """Measure, check the simulation, and plan for these rates.

    Raises CommandError without SimPy.
    """
    try:
        import simpy  # noqa: F401
    except ImportError as error:
        raise CommandError("bench plan needs SimPy: pip install -r requirements-dev.txt") from error
    with running_nodes(2) as servers, shop(servers[:1]) as one, shop(servers) as two:
        found = _parameters(one, flush_seconds(servers[0].folder))
        real = _in_turns(
            {(nodes, share): _load(two if nodes > 1 else one, share) for nodes, share in CHECKED}
        )
        costs = [*_commits(two)]
    rows: list[Row] = [*found.rows(), *costs]
    ratios: dict[str, float] = {}
    for name, (case, load) in zip(TARGETS, real.items(), strict=True):
        nodes, share = case
        simulated = _simulated(found.beside(load.others), nodes, share)
        rows += [
            _row("measured", nodes, share, load),
            _row("simulated", nodes, share, simulated),
        ]
        ratios[name] = simulated.per_second / load.per_second
    for size in BATCHES:
        ms = {row["what"]: row["ms"] for row in costs if row["batch"] == size}
        for way in (commits.TWO, commits.PREPARED):
            ratios[f"time of {way} to one node, batches of {size}"] = ms[way] / ms[commits.ONE]
    rows += [*planning.capacities(found), *planning.plans(found, rates)]
    return judged(rows, ratios, TARGETS)


def _parameters(one: Shop, flush: float) -> Parameters:
    loads = _in_turns(
        {
            "few": lambda: one.load(clients=1, seconds=SECONDS),
            "many": lambda: one.load(clients=CLIENTS, seconds=SECONDS),
            "one line": lambda: one.load(clients=CLIENTS, seconds=SECONDS, lines=1),
        }
    )
    return parameters(few=loads["few"], many=loads["many"], one_line=loads["one line"], flush=flush)


def _load(running: Shop, share: float) -> Callable[[], Load]:
    return lambda: running.load(clients=CLIENTS, seconds=SECONDS, share=share)


def _in_turns(ways: dict[Any, Callable[[], Load]]) -> dict[Any, Load]:
    """Measure each in each round; return the loads of the median rounds."""
    rounds: dict[Any, list[Load]] = {name: [] for name in ways}
    for _round in range(ROUNDS):
        for name, measure in ways.items():
            rounds[name].append(measure())
    return {
        name: sorted(loads, key=lambda each: each.per_second)[len(loads) // 2]
        for name, loads in rounds.items()
    }


def _simulated(found: Parameters, nodes: int, share: float) -> Outcome:
    """Simulate this machine: web processes, servers and other work share its two cores."""
    layout = Layout(nodes, processes=PROCESSES, one_machine=True)
    return simulate(found, layout, Demand(share, clients=CLIENTS), seconds=10.0)


def _commits(two: Shop) -> Iterator[Row]:
    for size in BATCHES:
        for way, ms in two.commits(orders=size).items():
            yield {"part": "commits", "what": way, "batch": size, "ms": ms}


def _row(part: str, nodes: int, share: float, found: Load | Outcome) -> Row:
    return {
        "part": part,
        "nodes": nodes,
        "share": share,
        "per_second": round(found.per_second, 1),
        "p50_ms": round(found.percentile_ms(50), 1),
        "p99_ms": round(found.percentile_ms(99), 1),
        **({"others": round(found.others, 2)} if isinstance(found, Load) else {}),
    }

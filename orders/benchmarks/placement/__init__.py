"""`bench placement`: group commit against textbook transactions, in one run.

`shop` is what is ordered, `variants` the ways to place it, `load` the clients, `processes` runs
them in processes of their own. `pgbench` is PostgreSQL's own limit, `network_delay` a database
further away, `deadlocks` the soak, `judgement` the targets.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, cast

from django.db import connection

from orders.benchmarks.placement.deadlocks import deadlock_row
from orders.benchmarks.placement.judgement import (
    BUILDS,
    BUSIEST,
    NETWORK,
    ONE_PROCESS,
    OTHER_BUILD,
    PGBENCH,
    TWO_PROCESSES,
    judge,
)
from orders.benchmarks.placement.load import in_turns, load
from orders.benchmarks.placement.network_delay import network_delay
from orders.benchmarks.placement.pgbench import pgbench
from orders.benchmarks.placement.processes import running_clients, scratch_environment
from orders.benchmarks.placement.shop import (
    BASKETS,
    HOT_BASKET,
    HOT_ONE,
    SPREAD_ONE,
    Basket,
    create_products,
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
    VARIANTS,
    order_limits,
)
from orders.placing.writers import drain
from project.benchmarks import Report, scratch_database

__all__ = ["SOAK_MINUTES", "bench_placement", "order_limits"]

CASES = {BUSIEST: BASKETS, 1: (SPREAD_ONE, HOT_ONE, HOT_BASKET)}
"""The baskets that are measured, by the number of clients."""
ROUNDS = 3
"""The variants alternate, so that other load on the machine hits all. The median round counts."""
SECONDS = {BUSIEST: 2.5, 1: 1.5}
"""Per round, by the number of clients."""
BUILD_ROUNDS = 5
"""Two builds differ by little: more rounds than the variants need."""
WARM_UP_SECONDS = 1.0
PROCESSES = 2
PGBENCH_CLIENTS = (2, 8, BUSIEST)
"""Its best counts: more clients in the row's queue don't make it faster."""
DELAYS_MS = (0, 1, 5)
SOAK_MINUTES = 1 / 3
CONTROL_SECONDS = 8.0

Row = dict[str, Any]


def bench_placement(minutes: float = SOAK_MINUTES, against: Path | None = None) -> Report:
    """Measure all parts; the hot baskets that may not deadlock take so many minutes.

    With the worktree of another build only the two builds are measured, in turns.

    Tandem's orders, like the textbook's, are placed without order limits; COUNTED has them.
    """
    # Two fresh threads of each client need a connection each.
    with scratch_database(pool_size=2 * BUSIEST):
        create_products()
        try:
            if against is not None:
                rows = list(_builds(against))
            else:
                rows = [*_one_process(), *_two_processes(), *_network(), *_deadlocks(minutes)]
        finally:
            drain()
    return judge(rows)


def _one_process() -> Iterator[Row]:
    for name in (TEXTBOOK, LOCKED, FRESH, TANDEM, COUNTED):  # warm up connections and caches
        load(VARIANTS[name], SPREAD_ONE, clients=8, seconds=WARM_UP_SECONDS)
    for clients, baskets in CASES.items():
        for basket in baskets:
            names = [TEXTBOOK, LOCKED, FRESH, TANDEM, *([COUNTED] if basket.lines == 1 else [])]
            found = in_turns(
                {
                    name: partial(
                        load, VARIANTS[name], basket, clients=clients, seconds=SECONDS[clients]
                    )
                    for name in names
                },
                rounds=ROUNDS,
            )
            for name, figures in found.items():
                yield _row(ONE_PROCESS, name, basket, clients, figures)


def _two_processes() -> Iterator[Row]:
    """Tandem as two web processes are, against as many processes of pgbench."""
    seconds = SECONDS[BUSIEST]
    with running_clients(TANDEM, HOT_ONE, scratch_environment(), processes=PROCESSES) as tandem:
        found = in_turns(
            {
                (TANDEM, BUSIEST): partial(tandem.load, clients=BUSIEST, seconds=seconds),
                **{
                    (PGBENCH, clients): partial(pgbench, HOT_ONE, clients=clients, seconds=seconds)
                    for clients in PGBENCH_CLIENTS
                },
            },
            rounds=ROUNDS,
        )
    for (name, clients), figures in found.items():
        yield _row(TWO_PROCESSES, name, HOT_ONE, clients, figures)


def _builds(against: Path) -> Iterator[Row]:
    """This build and another one, each in a process of its own, on the tables of this one."""
    environment = scratch_environment()
    for basket in BASKETS:
        with (
            running_clients(TANDEM, basket, environment) as ours,
            running_clients(TANDEM, basket, environment, root=against) as other,
        ):
            for clients in (clients for clients, baskets in CASES.items() if basket in baskets):
                found = in_turns(
                    {
                        name: partial(each.load, clients=clients, seconds=SECONDS[clients])
                        for name, each in {TANDEM: ours, OTHER_BUILD: other}.items()
                    },
                    rounds=BUILD_ROUNDS,
                )
                for name, figures in found.items():
                    yield _row(BUILDS, name, basket, clients, figures)


def _network() -> Iterator[Row]:
    """Tandem's writers in parallel and one after the other, with the database further away."""
    connection.ensure_connection()
    server = cast("Any", connection.connection).info
    for delay in DELAYS_MS:
        with ExitStack() as stack:
            port = stack.enter_context(network_delay(server.hostaddr, server.port, delay))
            environment = scratch_environment(port=port)
            running = {
                name: stack.enter_context(running_clients(name, HOT_ONE, environment))
                for name in (TANDEM, SEQUENTIAL)
            }
            for clients in CASES:
                found = in_turns(
                    {
                        name: partial(each.load, clients=clients, seconds=SECONDS[clients])
                        for name, each in running.items()
                    },
                    rounds=ROUNDS,
                )
                for name, figures in found.items():
                    row = _row(NETWORK, name, HOT_ONE, clients, figures)
                    yield row | {"delay_ms": delay}


def _deadlocks(minutes: float) -> Iterator[Row]:
    environment = scratch_environment()
    yield deadlock_row(UNSORTED, environment, seconds=CONTROL_SECONDS)
    yield deadlock_row(PATIENT, environment, seconds=60 * minutes)


def _row(part: str, variant: str, basket: Basket, clients: int, figures: Row) -> Row:
    return {
        "part": part,
        "variant": variant,
        "basket": basket.name,
        "lines": basket.lines,
        "clients": clients,
        **figures,
    }

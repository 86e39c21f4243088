"""Hot baskets by clients in two processes: are there deadlocks?

Each basket names the same products in another order. As a control the textbook's orders lock them
in the order of the basket: these must deadlock, else nothing was shown.
"""

import time
from collections.abc import Mapping
from typing import Any

from django.db import connection

from orders.benchmarks.placement.judgement import DEADLOCKS
from orders.benchmarks.placement.load import Load
from orders.benchmarks.placement.processes import running_clients
from orders.benchmarks.placement.shop import HOT_BASKET

CLIENTS = 32
PROCESSES = 2
REPORTED = 2.0
"""Seconds after which a session's deadlocks are in `pg_stat_database`: it reports once a second."""


def deadlock_row(
    variant: str, environment: Mapping[str, str], *, seconds: float, clients: int = CLIENTS
) -> dict[str, Any]:
    """Return the row of a load of hot baskets: its deadlocks, and the orders that failed."""
    before = count_deadlocks()
    with running_clients(variant, HOT_BASKET, environment, processes=PROCESSES) as running:
        placed: Load = running.load(clients=clients, seconds=seconds)
    time.sleep(REPORTED)
    return {
        "part": DEADLOCKS,
        "variant": variant,
        "basket": HOT_BASKET.name,
        "lines": HOT_BASKET.lines,
        "clients": clients,
        **placed.figures(),
        "seconds": round(placed.seconds, 1),
        "orders": len(placed.latencies),
        "failed": placed.failed.total(),
        "deadlocks": count_deadlocks() - before,
    }


def count_deadlocks() -> int:
    """Return the deadlocks that the server has found in this database so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (found,) = cursor.fetchone()
    return int(found)

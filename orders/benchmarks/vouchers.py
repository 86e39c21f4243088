"""`bench vouchers`: a code that everybody uses, 10,000 times, by the clients of two processes.

Meanwhile somebody looks at who waits for which lock, and for how long: no order may wait for the
code's row for more than a second. The same orders without a code are measured in turns.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection
from django.db.models import Count

from orders.benchmarks.placement.load import Load, together
from orders.benchmarks.placement.processes import running_clients, scratch_environment
from orders.benchmarks.placement.shop import SPREAD_ONE, create_products
from orders.benchmarks.placement.variants import TANDEM, VOUCHER, VOUCHER_CODE
from orders.models import Voucher
from orders.placing.writers import drain
from project.benchmarks import Report, judged, scratch_database
from project.monitoring.audit import run_audit

USES = 10_000
CLIENTS, PROCESSES = 64, 2
SECONDS = 2.5
PAUSE = 0.02
"""Seconds between two looks at the locks."""
TARGETS: dict[str, dict[str, float]] = {
    "longest wait for a lock, in seconds": {"at_most": 1.0},
    "uses beyond the limit": {"at_most": 0.0},
    "findings of the audit": {"at_most": 0.0},
}
_WAITS = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
"""


def bench_vouchers(sizes: Sequence[int] = (USES,)) -> Report:
    """Use one code so many times (the last size), in turns with orders that have none."""
    uses = sizes[-1]
    with scratch_database(pool_size=2 * CLIENTS), ExitStack() as stack:
        create_products()
        Voucher.objects.create(code=VOUCHER_CODE, kind="percent", value=10, limit=uses)
        try:
            environment = scratch_environment()
            ways = {
                name: stack.enter_context(
                    running_clients(name, SPREAD_ONE, environment, processes=PROCESSES)
                )
                for name in (TANDEM, VOUCHER)
            }
            loads: dict[str, list[Load]] = {name: [] for name in ways}
            with watching() as longest:
                while Voucher.objects.get().used < uses:
                    for name, clients in ways.items():
                        loads[name].append(clients.load(clients=CLIENTS, seconds=SECONDS))
        finally:
            drain()
        stack.close()
        voucher = Voucher.objects.annotate(count=Count("uses")).get()
        findings = sum(finding["violations"] for finding in run_audit().findings)
    rows: list[dict[str, Any]] = [
        {"what": name, "clients": CLIENTS, **together(each).figures()}
        | {"per_second": round(sum(len(one.latencies) for one in each)
                               / sum(one.seconds for one in each), 1)}
        for name, each in loads.items()
    ]  # fmt: skip
    ratios = {
        "orders/s with a code to those without": rows[1]["per_second"] / rows[0]["per_second"],
        "longest wait for a lock, in seconds": longest[0],
        "uses beyond the limit": max(0, voucher.count - uses),
        "findings of the audit": findings,
    }
    return judged(rows, ratios, TARGETS)


@contextmanager
def watching() -> Iterator[list[float]]:
    """Look at the locks during the block; the list has the longest wait seen, in seconds."""
    longest, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(PAUSE):
            with connection.cursor() as cursor:
                cursor.execute(_WAITS)
                longest[0] = max(longest[0], float(cursor.fetchone()[0]))
        connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield longest
    finally:
        over.set()
        thread.join()

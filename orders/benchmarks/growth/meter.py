"""What a piece of work costs: the CPU of its database sessions, its own, its statements, its WAL.

Time by the clock says little on a busy machine. The CPU of a session is what the kernel says of its
process; where that can't be read (the server is on another host), PostgreSQL's clock has to do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection, connections

from project.database.plans import explained

ALIASES = ("default", "writer")


@dataclass
class Meter:
    """The figures of one piece of work, complete after the block of `measured`."""

    sql_ms: float | None = None
    """CPU of the database's sessions; None if the kernel doesn't tell."""
    python_ms: float = 0.0
    """CPU of this thread."""
    queries: int = 0
    wal_bytes: int = 0


@contextmanager
def measured() -> Iterator[Meter]:
    """Measure the block."""
    meter = Meter()

    def count(execute: Callable[..., Any], *call: Any) -> Any:
        meter.queries += 1
        return execute(*call)

    wal, before, began = _wal_position(), _cpu(), time.thread_time()
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(connections[alias].execute_wrapper(count))
        yield meter
    meter.python_ms = 1000 * (time.thread_time() - began)
    after = _cpu()
    meter.wal_bytes = _wal_position() - wal
    if before and after:
        meter.sql_ms = sum(ms - before.get(pid, 0.0) for pid, ms in after.items())


def count_buffers(work: Callable[[], object]) -> tuple[int, float]:
    """Do the work with each statement explained; return its buffers and milliseconds."""
    with explained(*ALIASES) as costs:
        work()
    return sum(cost.buffers for cost in costs), sum(cost.ms for cost in costs)


def _cpu() -> dict[int, float]:
    """Return the milliseconds that each session of this database has computed; empty if unknown."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [pid for (pid,) in cursor.fetchall()]
    found = {}
    for pid in pids:
        process = Path("/proc", str(pid))
        try:
            if process.joinpath("comm").read_text().strip() != "postgres":
                return {}
            found[pid] = int(process.joinpath("schedstat").read_text().split()[0]) / 1e6
        except OSError:
            continue
    return found


def _wal_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])

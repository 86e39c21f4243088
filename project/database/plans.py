"""What the statements of a block cost PostgreSQL: their buffers, and the tables they read whole.

Each statement is run under EXPLAIN (ANALYZE, BUFFERS) first, which is rolled back, and then as
usual. So one that writes is measured like one that reads. For benchmarks and tests.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connections
from psycopg.pq import TransactionStatus

_EXPLAINED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "(")


@dataclass(frozen=True)
class Cost:
    """What one statement cost."""

    sql: str
    ms: float
    """Planning and execution, by the clock."""
    buffers: int
    """Pages of 8 kB that were read, whether PostgreSQL had them in memory or not."""
    scanned: frozenset[str]
    """The tables that the plan reads from their beginning."""


@contextmanager
def explained(*aliases: str) -> Iterator[list[Cost]]:
    """Give the list that gets the cost of each statement of the block, by these connections."""
    costs: list[Cost] = []

    def explain(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        # A lock of the session is not given back by a rollback.
        if not many and sql.lstrip().startswith(_EXPLAINED) and "advisory_lock" not in sql:
            costs.append(_cost(context["connection"].connection, sql, params))
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for alias in aliases or ("default",):
            stack.enter_context(connections[alias].execute_wrapper(explain))
        yield costs


def _cost(session: Any, sql: str, params: Any) -> Cost:
    """Explain the statement in a transaction, or a savepoint of the current one."""
    if session.info.transaction_status == TransactionStatus.IDLE:
        begin, end = "BEGIN", "ROLLBACK"
    else:
        begin = "SAVEPOINT explained"
        end = "ROLLBACK TO SAVEPOINT explained; RELEASE SAVEPOINT explained"
    with session.cursor() as cursor:
        cursor.execute(begin)
        try:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}", params)
            told = cursor.fetchone()[0]
        finally:
            cursor.execute(end)
    [found] = json.loads(told) if isinstance(told, str) else told
    plan = found["Plan"]
    return Cost(
        sql=sql,
        ms=found["Planning Time"] + found["Execution Time"],
        buffers=plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        scanned=frozenset(_scanned(plan)),
    )


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scanned(part)

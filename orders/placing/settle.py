"""Settle: the one correction of sales. It makes them what the orders say.

Nobody reverses a count blindly: a reversal that lands after a successful retry would lose the
sale. A settle reads the order after the lock, so it is right whenever it comes.
"""

import logging
import time
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from orders.placing.sales_ledger import COUNTED_LINES
from orders.placing.sales_writer import Counted, SalesWriter, Settle
from orders.placing.writers import Writers, writers
from project.group_commit import NotTakenError, RepeatBatch

logger = logging.getLogger(__name__)

SETTLE_TIMEOUT = 10.0
"""Seconds that a settle may wait in the sales writer's queue; `settle_due` finds the rest."""
BATCH_SIZE = 500
_ADVISORY_LOCK = 0x7E7E5E77
"""Any number of our own: at most one `settle_due` runs at a time."""

_DIFFERING = f"""
    WITH candidate AS (
        SELECT id AS order_id FROM orders_order
        WHERE changed_at > %(since)s AND changed_at <= %(until)s
        UNION
        SELECT order_id FROM orders_salesentry
        WHERE changed_at > %(since)s AND changed_at <= %(until)s
    )
    SELECT DISTINCT order_id
    FROM (SELECT counted.* FROM ({COUNTED_LINES}) AS counted JOIN candidate USING (order_id))
         AS line
    FULL JOIN (SELECT entry.* FROM orders_salesentry AS entry JOIN candidate USING (order_id))
         AS entry
    USING (order_id, product_id)
    WHERE (line.units, line.amount) IS DISTINCT FROM (entry.units, entry.amount)
"""


def settle(order_id: UUID, *, threads: Writers | None = None) -> None:
    """Ask the sales writer to settle the order, without waiting for it.

    `threads` are the writers that counted it: behind the count in their queue it can't be
    overtaken by it.
    """
    deadline = time.monotonic() + SETTLE_TIMEOUT
    try:
        (threads or writers()).sales.submit(Settle(order_id), deadline=deadline)
    except NotTakenError:
        logger.warning("sales of order %s are left to the next sweep", order_id)


def settle_due() -> int | None:
    """Settle every order whose sales differ, as far as it changed since the last complete run.

    Returns how many were settled, or None where another run is under way. Looks at nothing
    younger than 10 s, which may be in flight (it would be judged half-way), and 60 s further
    back than needed, because a row becomes visible later than its time says.
    """
    connection = connections["writer"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])
        if not cursor.fetchone()[0]:
            return None
        try:
            return _sweep(cursor)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


def settle_all() -> int:
    """Settle every order whose sales differ, however old; return how many there were."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(_DIFFERING, {"since": "-infinity", "until": "infinity"})
        order_ids = [row[0] for row in cursor.fetchall()]
    _settle_batches(order_ids)
    return len(order_ids)


def _sweep(cursor: CursorWrapper) -> int:
    cursor.execute(
        "SELECT now() - interval '10 seconds', coalesce((SELECT done_until FROM project_sweep"
        " WHERE name = 'settle_due') - interval '60 seconds', 'epoch')"
    )
    until, since = cursor.fetchone()
    cursor.execute(_DIFFERING, {"since": since, "until": until})
    order_ids = [row[0] for row in cursor.fetchall()]
    if _settle_batches(order_ids):
        cursor.execute(
            "INSERT INTO project_sweep (name, done_until) VALUES ('settle_due', %s)"
            " ON CONFLICT (name) DO UPDATE SET done_until = EXCLUDED.done_until",
            [until],
        )
    if order_ids:
        logger.warning("settled the sales of %d orders", len(order_ids))
    return len(order_ids)


def _settle_batches(order_ids: list[UUID]) -> bool:
    """Settle these orders, some hundreds a transaction; False if some are left for later."""
    batches = [order_ids[i : i + BATCH_SIZE] for i in range(0, len(order_ids), BATCH_SIZE)]
    outcomes = [_settle_now(batch) for batch in batches]
    return all(outcomes)


def _settle_now(order_ids: list[UUID]) -> bool:
    """Settle these orders in one transaction; False if a locked row left some for later."""
    writer = SalesWriter()
    for _attempt in range(3):
        try:
            with transaction.atomic(using="writer", durable=True):
                answers = writer.apply(
                    connections["writer"], [Settle(order_id) for order_id in order_ids]
                )
                return all(isinstance(answer, Counted) for answer in answers)
        except RepeatBatch:
            continue
    return False

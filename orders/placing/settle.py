"""Settle: the one correction of sales. It sets them to the stored orders.

No code subtracts a count directly: a subtraction after a successful retry would lose the sale.
A settle reads the order under the counters' lock, so it is correct at any time.
"""

import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections, transaction

from orders.placing.sales_ledger import COUNTED_LINES
from orders.placing.sales_writer import Counted, SalesWriter, Settle
from orders.placing.writers import Writers, writers
from project.database.advisory_lock import try_lock
from project.database.clock import database_now
from project.group_commit import NotTakenError, RepeatBatch
from project.models import Sweep

logger = logging.getLogger(__name__)

SETTLE_TIMEOUT = 10.0
"""Seconds that a settle may wait in the sales writer's queue. `settle_due` finds a late one."""
BATCH_SIZE = 500
IN_FLIGHT = timedelta(seconds=10)
"""Younger orders are skipped: their two transactions may not both be committed yet."""
_NAME = "settle_due"
_ADVISORY_LOCK = 0x7E7E5E77
"""An arbitrary number. The lock lets one `settle_due` run at a time."""

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

    `threads` are the writers that counted the order. In the same queue the settle always comes
    after the count.
    """
    deadline = time.monotonic() + SETTLE_TIMEOUT
    try:
        (threads or writers()).sales.submit(Settle(order_id), deadline=deadline)
    except NotTakenError:
        logger.warning("sales of order %s wait for the next sweep", order_id)


def settle_due() -> int | None:
    """Settle every order that changed since the last complete run and whose sales differ.

    Returns the number of orders, or None if another run is in progress.
    """
    with try_lock(_ADVISORY_LOCK, using="writer") as locked:
        return _sweep() if locked else None


def settle_all() -> int:
    """Settle every order of any age whose sales differ; return the number of orders."""
    order_ids = _differing(since=None, until=None)
    _settle_batches(order_ids)
    return len(order_ids)


def _sweep() -> int:
    until = database_now() - IN_FLIGHT
    order_ids = _differing(since=Sweep.objects.begin_of(_NAME), until=until)
    if _settle_batches(order_ids):
        Sweep.objects.advance(_NAME, until)
    if order_ids:
        logger.warning("settled the sales of %d orders", len(order_ids))
    return len(order_ids)


def _differing(*, since: datetime | None, until: datetime | None) -> list[UUID]:
    """Return the orders that changed in (since, until] and whose sales differ; None is open."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(_DIFFERING, {"since": since or "-infinity", "until": until or "infinity"})
        return [row[0] for row in cursor.fetchall()]


def _settle_batches(order_ids: list[UUID]) -> bool:
    """Settle these orders, BATCH_SIZE per transaction; False if some need another run."""
    batches = [order_ids[i : i + BATCH_SIZE] for i in range(0, len(order_ids), BATCH_SIZE)]
    outcomes = [settle_now(batch) for batch in batches]
    return all(outcomes)


def settle_now(order_ids: list[UUID]) -> bool:
    """Settle these orders in one transaction; False if a locked row deferred some of them."""
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

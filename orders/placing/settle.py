"""Settle: the one correction of sales. It sets them to the stored orders.

No code subtracts a count directly: a subtraction after a successful retry would lose the sale.
A settle reads the order under the counters' lock, so it is correct at any time.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from orders.placing.sales_ledger import COUNTED_LINES
from orders.placing.sales_writer import Counted, SalesWriter, Settle
from orders.placing.writers import Writers, writers
from project.database.advisory_lock import try_lock
from project.database.arrays import array_literal
from project.database.clock import database_now
from project.database.errors import is_outage
from project.group_commit import NotTakenError, RepeatBatch
from project.schedule.passes import Position, Row, open_pass

logger = logging.getLogger(__name__)

SETTLE_TIMEOUT = 10.0
"""Seconds that a settle may wait in the sales writer's queue. `settle_due` finds a late one."""
BATCH_SIZE = 500
PAGE_SIZE = 2000
"""Orders that are compared by one statement: some hundredths of a second."""
IN_FLIGHT = timedelta(seconds=10)
"""Younger orders are skipped: their two transactions may not both be committed yet."""
_NAME = "settle_due"
_ADVISORY_LOCK = 0x7E7E5E77
"""An arbitrary number. The lock lets one `settle_due` run at a time."""

_PAGE = """
    SELECT changed_at, order_id FROM (
        (SELECT changed_at, id AS order_id FROM orders_order
         WHERE (changed_at, id) > (%(at)s, %(key)s) AND changed_at <= %(until)s
         ORDER BY changed_at, id LIMIT %(limit)s)
        UNION ALL
        (SELECT changed_at, order_id FROM orders_salesentry
         WHERE (changed_at, order_id) > (%(at)s, %(key)s) AND changed_at <= %(until)s
         ORDER BY changed_at, order_id LIMIT %(limit)s)
    ) AS changed
    ORDER BY changed_at, order_id LIMIT %(limit)s
"""

_DIFFERING = f"""
    SELECT DISTINCT order_id
    FROM (SELECT counted.* FROM ({COUNTED_LINES}) AS counted WHERE order_id = ANY(%(ids)s::uuid[]))
         AS line
    FULL JOIN (SELECT * FROM orders_salesentry WHERE order_id = ANY(%(ids)s::uuid[])) AS entry
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
    """Settle every order whose sales differ, as far as it changed since the last complete pass.

    Returns how many were settled, or None where another run is under way. Raises UnfinishedError,
    once all others are settled, for orders whose sales somebody has locked.
    """
    with try_lock(_ADVISORY_LOCK, using="writer") as locked:
        return _sweep() if locked else None


def settle_orders(order_ids: Sequence[UUID]) -> int:
    """Settle those of these orders whose sales differ, however old; return how many there were."""
    differing = _differing(order_ids)
    _settle_batches(differing)
    return len(differing)


def _sweep() -> int:
    walk = open_pass(_NAME, until=database_now() - IN_FLIGHT)
    settled = 0
    for page in walk.pages(changed_orders, size=PAGE_SIZE):
        differing = _differing({row.key for row in page})
        left = _settle_batches(differing)
        for row in page:
            if row.key in left:
                walk.leave(row.at)
                left.discard(row.key)  # by the first of its rows
        settled += len(differing)
    if settled:
        logger.warning("settled the sales of %d orders", settled)
    walk.raise_if_left("orders")
    return settled


def changed_orders(after: Position, until: datetime, limit: int) -> list[Row]:
    """Return orders that changed, or whose sales did. One may be there more than once."""
    with connections["writer"].cursor() as cursor:
        values: dict[str, Any] = {"at": after.at, "key": after.key, "until": until, "limit": limit}
        cursor.execute(_PAGE, values)
        return [Row(at, key) for at, key in cursor.fetchall()]


def _differing(order_ids: Iterable[UUID]) -> list[UUID]:
    """Return those of these orders whose sales differ."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(_DIFFERING, {"ids": array_literal(order_ids)})
        return [row[0] for row in cursor.fetchall()]


def _settle_batches(order_ids: list[UUID]) -> set[UUID]:
    """Settle these orders, some hundreds a transaction; return those that are left for later."""
    batches = [order_ids[i : i + BATCH_SIZE] for i in range(0, len(order_ids), BATCH_SIZE)]
    return {order_id for batch in batches for order_id in settle_now(batch)}


def settle_now(order_ids: list[UUID]) -> list[UUID]:
    """Settle these orders in one transaction; return those that a locked row left for later."""
    writer = SalesWriter()
    for _attempt in range(3):
        try:
            with transaction.atomic(using="writer", durable=True):
                answers = writer.apply(
                    connections["writer"], [Settle(order_id) for order_id in order_ids]
                )
                return [
                    order_id
                    for order_id, answer in zip(order_ids, answers, strict=True)
                    if not isinstance(answer, Counted)
                ]
        except RepeatBatch:
            continue
        except Exception as error:
            if is_outage(error):
                raise
            if len(order_ids) > 1:  # one of them is to blame: it must hurt only itself
                return [one for order_id in order_ids for one in settle_now([order_id])]
            logger.exception("the sales of order %s can't be settled", order_ids[0])
            break
    return order_ids

"""Expiry: orders that weren't paid in time are cancelled, and their stock is available again.

The relay calls `expire_due` (`orders/sweeps.py`). Expiry is off until `PAYMENT_DUE_HOURS` is set.
Orders that are paid in part or cost nothing don't expire: an operator decides about them.
"""

import logging
import time
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from orders.lifecycle.errors import OrderBusy, TransitionError
from orders.lifecycle.transitions import expire
from project.models import Sweep
from project.schedule.entries import is_off

logger = logging.getLogger(__name__)

BATCH_SIZE = 200
"""Orders of one run. The next run, some seconds later, takes the rest."""
RUN_SECONDS = 5.0
"""Time limit of a run: the relay's sweep thread also settles sales."""
_NAME = "expire_due"
TASK = "orders.tasks.expire"
"""The entry in the schedule by which an operator sees expiry and switches it off."""


def expire_due() -> int | None:
    """Cancel orders that weren't paid in time, the oldest first; return their number.

    None if expiry is off by its setting or in the schedule. Two runs at once are harmless: only
    one of them can move an order.
    """
    if settings.PAYMENT_DUE_HOURS is None or is_off(TASK):
        return None
    hours: int = settings.PAYMENT_DUE_HOURS
    overdue, until = _overdue(hours)
    started = time.monotonic()
    expired = 0
    for order_id, changed_at in overdue:
        if time.monotonic() - started > RUN_SECONDS:
            until = min(until, changed_at)
            break
        try:
            expire(order_id=order_id, hours=hours)
        except OrderBusy:
            until = min(until, changed_at)  # the next run tries it again
        except TransitionError as refusal:
            logger.info("order %s doesn't expire: %s", order_id, refusal)
        else:
            expired += 1
    Sweep.objects.advance(_NAME, until)
    return expired


def _overdue(hours: int) -> tuple[list[tuple[UUID, datetime]], datetime]:
    """Return overdue orders, the oldest first, and the time up to which the list is complete.

    The query reads a window of `changed_at`, which has an index. An unpaid order doesn't change,
    so each order enters the window once.
    """
    since = Sweep.objects.begin_of(_NAME)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, changed_at FROM orders_order
            WHERE status = 'placed' AND total > 0
              AND NOT EXISTS (SELECT FROM orders_payment WHERE order_id = orders_order.id)
              AND changed_at <= now() - make_interval(hours => %(hours)s)
              AND changed_at > coalesce(%(since)s::timestamptz, '-infinity')
            ORDER BY changed_at LIMIT %(limit)s
            """,
            {"hours": hours, "since": since, "limit": BATCH_SIZE},
        )
        overdue = cursor.fetchall()
        if len(overdue) == BATCH_SIZE:
            return overdue, overdue[-1][1]
        cursor.execute("SELECT now() - make_interval(hours => %s)", [hours])
        until: datetime = cursor.fetchone()[0]
        return overdue, until

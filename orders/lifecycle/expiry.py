"""Expiry: orders that weren't paid in time are cancelled, and their stock is available again.

The relay calls `expire_due` (`orders/sweeps.py`). Expiry is off until `PAYMENT_DUE_HOURS` is set.
Orders that are paid in part, at pick-up or cost nothing don't expire: an operator decides about
them.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from orders.lifecycle.errors import OrderBusy, TransitionError
from orders.lifecycle.transitions import expire
from orders.models import Order
from orders.placing.payment_choice import AT_PICKUP
from project.database.clock import database_now
from project.schedule.entries import is_off
from project.schedule.passes import Position, Row, open_pass

logger = logging.getLogger(__name__)

_NAME = "expire_due"
TASK = "orders.tasks.expire"
"""The entry in the schedule by which an operator sees expiry and switches it off."""


def expire_due() -> int | None:
    """Cancel orders that weren't paid in time, the oldest first; return their number.

    None if expiry is off by its setting or in the schedule. Two runs at once are harmless: only
    one of them can move an order. Raises UnfinishedError, after all others, for locked orders.
    """
    if settings.PAYMENT_DUE_HOURS is None or is_off(TASK):
        return None
    hours: int = settings.PAYMENT_DUE_HOURS
    walk = open_pass(_NAME, until=database_now() - timedelta(hours=hours))
    return walk.run(_read_page, lambda row: _expire(row, hours), busy=OrderBusy, what="orders")


def pays_until(order: Order) -> datetime | None:
    """Return when the order expires if nothing is paid; None if it doesn't.

    It is not for orders with payments, which don't expire either. The pass reads by `changed_at`,
    so an order whose contact was corrected has its time from then on.
    """
    hours = settings.PAYMENT_DUE_HOURS
    if hours is None or order.status != Order.Status.PLACED or not order.total:
        return None
    if order.payment_method == AT_PICKUP:
        return None
    return order.changed_at + timedelta(hours=hours)


def _expire(row: Row, hours: int) -> bool:
    if not row.content:
        return False
    try:
        expire(order_id=row.key, hours=hours)
    except OrderBusy:
        raise
    except TransitionError as refusal:
        logger.info("order %s doesn't expire: %s", row.key, refusal)
        return False
    return True


def _read_page(after: Position, until: datetime, limit: int) -> list[Row]:
    """Return orders, the oldest first, with whether they are overdue as their content.

    The pass reads by `changed_at`, which has an index. An unpaid order doesn't change, so each
    order enters the pass once. A page is of all orders: one of overdue orders only would read a
    whole week of others, if a relay was away, before it found as many.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT changed_at, id,
                   status = 'placed' AND total > 0 AND payment_method <> 'pickup'
                   AND NOT EXISTS (SELECT FROM orders_payment WHERE order_id = page.id)
            FROM (
                SELECT changed_at, id, status, total, payment_method FROM orders_order
                WHERE (changed_at, id) > (%(at)s, %(key)s) AND changed_at <= %(until)s
                ORDER BY changed_at, id LIMIT %(limit)s
            ) AS page
            ORDER BY changed_at, id
            """,
            {"at": after.at, "key": after.key, "until": until, "limit": limit},
        )
        return [Row(at, key, is_overdue) for at, key, is_overdue in cursor]

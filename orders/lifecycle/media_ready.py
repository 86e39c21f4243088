"""Ready to view: the shopper gets one message when all uploads of the order can be printed.

The relay calls `tell_media_ready`. A sweep does this because media jobs don't import orders, and
because it also finds jobs that finished while the relay was down. The timeline's entry records
that the message was sent: it stays when messages and jobs are pruned. It is written with the
message, under the order's lock.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from media_jobs.models import MediaJob
from orders.lifecycle.errors import OrderBusy, UnknownOrder
from orders.lifecycle.steps import lock, one_transaction, record
from orders.models import Order, OrderEvent
from project.database.clock import database_now
from project.jobs.queryset import Status
from project.schedule.passes import Position, Row, open_pass

NAME = "tell_media_ready"
FIRST_LOOK = timedelta(hours=1)
"""The first run looks back so far: shoppers with older orders know already, or wonder no more."""
BEFORE_SHIPPING = (Order.Status.PLACED, Order.Status.PAID, Order.Status.PACKED)
"""After shipping the message has no use."""

# A page is of jobs, not of orders still to be told: what is never told must not stay in its way.
_PAGE = """
SELECT finished_at, id, order_id, EXISTS (
    SELECT FROM orders_orderevent AS event
    WHERE event.order_id = page.order_id AND event.kind = 'media_ready') AS is_known
FROM (
    SELECT finished_at, id, order_id FROM media_jobs_mediajob
    WHERE kind = 'print' AND status IN ('done', 'cancelled')
      AND (finished_at, id) > (%(at)s, %(key)s) AND finished_at <= %(until)s
    ORDER BY finished_at, id LIMIT %(limit)s
) AS page
ORDER BY finished_at, id
"""


def tell_media_ready() -> int | None:
    """Tell the shoppers whose last print file was made since the last look; return how many.

    Raises UnfinishedError, once all others are told, for orders that somebody has locked.
    """
    now = database_now()
    walk = open_pass(NAME, until=now, first=now - FIRST_LOOK)
    told = walk.run(_read_page, _notify_once, busy=OrderBusy, what="orders")
    return told or None


def _read_page(after: Position, until: datetime, limit: int) -> list[Row]:
    """Return jobs that ended. The order to look at is with its last one, if it isn't told yet."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"at": after.at, "key": after.key, "until": until, "limit": limit}
        cursor.execute(_PAGE, values)
        jobs = cursor.fetchall()
    last = {order_id: job_id for _at, job_id, order_id, is_known in jobs if not is_known}
    return [
        Row(at, job_id, order_id if last.get(order_id) == job_id else None)
        for at, job_id, order_id, _is_known in jobs
    ]


def _notify_once(row: Row) -> bool:
    return row.content is not None and _notify(row.content)


def _notify(order_id: UUID) -> bool:
    """Tell the order's shopper, if all is done, for the first time, and still of interest."""
    with one_transaction():
        try:
            order = lock(order_id)
        except UnknownOrder:
            return False
        statuses = set(
            MediaJob.objects.filter(order_id=order_id, kind="print").values_list(
                "status", flat=True
            )
        )
        known = OrderEvent.objects.filter(order=order, kind=OrderEvent.Kind.MEDIA_READY)
        if (
            Status.DONE not in statuses
            or statuses - {Status.DONE, Status.CANCELLED}
            or order.status not in BEFORE_SHIPPING
            or known.exists()
        ):
            return False
        record(order, OrderEvent.Kind.MEDIA_READY, user=None)
    return True

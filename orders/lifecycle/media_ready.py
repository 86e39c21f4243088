"""Ready to view: the shopper is told once, when all their pictures and videos can be printed.

The relay calls `tell_media_ready`: media jobs know no orders, and a sweep finds also what was
done while it was away. The timeline's entry says that they know, and stays when messages and
jobs are pruned; it is written with the message, under the order's lock.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection

from media_jobs.models import MediaJob
from orders.lifecycle.errors import OrderBusy, UnknownOrder
from orders.lifecycle.steps import lock, one_transaction, record
from orders.models import Order, OrderEvent
from project.database.clock import database_now
from project.jobs.queryset import Status
from project.models import Sweep

BATCH_SIZE = 200
"""Orders of one run. The next run, some seconds later, takes the rest."""
NAME = "tell_media_ready"
BEFORE_SHIPPING = (Order.Status.PLACED, Order.Status.PAID, Order.Status.PACKED)
"""Later there is nothing to look forward to."""

# The first run looks at the last hour: shoppers with older orders know already, or wonder no more.
_CANDIDATES = """
SELECT order_id, max(finished_at) AS done_at FROM media_jobs_mediajob AS job
WHERE kind = 'print' AND status IN ('done', 'cancelled')
  AND finished_at > coalesce(%(since)s::timestamptz, now() - interval '1 hour')
  AND NOT EXISTS (
      SELECT FROM orders_orderevent AS event
      WHERE event.order_id = job.order_id AND event.kind = 'media_ready')
GROUP BY order_id ORDER BY done_at LIMIT %(limit)s
"""


def tell_media_ready() -> int | None:
    """Tell the shoppers whose last print file was made since the last look; return how many."""
    until, since = database_now(), Sweep.objects.begin_of(NAME)
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"since": since, "limit": BATCH_SIZE})
        candidates: list[tuple[UUID, datetime]] = cursor.fetchall()
    if len(candidates) == BATCH_SIZE:
        until = candidates[-1][1]
    told = 0
    for order_id, done_at in candidates:
        try:
            told += tell_shopper(order_id)
        except OrderBusy:
            until = min(until, done_at)  # once more in the next run
    Sweep.objects.advance(NAME, until)
    return told or None


def tell_shopper(order_id: UUID) -> bool:
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

"""Ready to view: the shopper gets one message when all uploads of the order can be printed.

The relay calls `tell_media_ready`. A sweep does this because media jobs don't import orders, and
because it also finds jobs that finished while the relay was down. The timeline's entry records
that the message was sent: it stays when messages and jobs are pruned. It is written with the
message, under the order's lock.
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
"""After shipping the message has no use."""

# The first run reads the last hour only: for older orders the message would come too late.
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
    """Message the shoppers whose last print file was made since the last run; return the number."""
    until, since = database_now(), Sweep.objects.begin_of(NAME)
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"since": since, "limit": BATCH_SIZE})
        candidates: list[tuple[UUID, datetime]] = cursor.fetchall()
    if len(candidates) == BATCH_SIZE:
        until = candidates[-1][1]
    told = 0
    for order_id, done_at in candidates:
        try:
            told += _notify(order_id)
        except OrderBusy:
            until = min(until, done_at)  # the next run tries it again
    Sweep.objects.advance(NAME, until)
    return told or None


def _notify(order_id: UUID) -> bool:
    """Message the order's shopper if all print jobs are done, once, and before shipping."""
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

"""The version of an order's page: one query tells whether anything that it shows has changed.

Most polls find nothing new. So they read one row of hashes, and no order, job, payment or text.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import Http404

# Each part is what the page shows of a table. The rows are found by the indexes on their order.
_VERSION = """
SELECT md5(concat_ws('|', placed.status, placed.payment_method, placed.total, placed.changed_at,
    (SELECT string_agg(concat_ws(',', id, status, attempts > 0, recipient), ';' ORDER BY id)
     FROM notifications_notification WHERE order_id = placed.id), '/',
    (SELECT string_agg(concat_ws(',', id, status, progress, finished_at), ';' ORDER BY id)
     FROM media_jobs_mediajob WHERE order_id = placed.id), '/',
    (SELECT concat(count(*), ',', max(id)) FROM orders_orderevent WHERE order_id = placed.id),
    (SELECT concat(count(*), ',', sum(amount)) FROM orders_payment WHERE order_id = placed.id),
    (SELECT string_agg(concat_ws(',', id, status, amount), ';' ORDER BY id)
     FROM orders_refund WHERE order_id = placed.id), '/',
    (SELECT string_agg(concat_ws(',', id, status, provider, returned_at), ';' ORDER BY id)
     FROM orders_paymentattempt WHERE order_id = placed.id)
)), placed.placed_at, placed.changed_at,
    (SELECT max(returned_at) FROM orders_paymentattempt WHERE order_id = placed.id)
FROM orders_order AS placed WHERE placed.id = %s
"""


def read_version(order_id: UUID, *, now: datetime, steps: Sequence[timedelta]) -> str:
    """Return the version, in one query. Raises Http404.

    It changes with time as well, as the page does: when one of the `steps` is over since the order
    or since the customer came back from a bank, and when the time to pay is over.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [order_id])
        row = cursor.fetchone()
    if row is None:
        raise Http404
    rows, placed_at, changed_at, returned_at = row
    passed = [
        sum(now - since >= step for step in steps) for since in (placed_at, returned_at) if since
    ]
    hours = settings.PAYMENT_DUE_HOURS
    is_late = hours is not None and now >= changed_at + timedelta(hours=hours)
    return hashlib.sha256(repr((rows, passed, is_late)).encode()).hexdigest()[:16]

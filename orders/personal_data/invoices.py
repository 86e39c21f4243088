"""Buyers on invoices of erased persons: they stay as long as the law wants, then they go too.

`KEEP_INVOICES_YEARS` says how long. The database refuses any other change of an invoice.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from media_jobs.models import MediaJob
from orders.models import Invoice
from orders.personal_data.media import erase_media_jobs
from orders.personal_data.registry import ERASED
from project.database.clock import database_now


def invoices_to_erase() -> QuerySet[Invoice]:
    """Return the invoices of erased persons that needn't name them any more."""
    due = Invoice.objects.filter(order__erased_at__isnull=False).exclude(data__buyer=[ERASED])
    return old_enough(due)


def old_enough(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return those whose year ended so many years ago: by law the time begins with its end."""
    kept_for = settings.KEEP_INVOICES_YEARS
    if not kept_for:
        return invoices
    zone = ZoneInfo(settings.TIME_ZONE)
    year = database_now().astimezone(zone).year - kept_for
    return invoices.filter(issued_at__lt=datetime(year, 1, 1, tzinfo=zone))


def erase_buyers(invoice_ids: Sequence[int]) -> None:
    """Replace the buyer on these invoices, and delete their papers: a paper names the buyer."""
    sources = [f"invoice:{key}" for key in invoice_ids]
    erase_media_jobs(MediaJob.objects.filter(source__in=sources))
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, {"buyer": f'["{ERASED}"]', "keys": list(invoice_ids)})


_ERASE = """
UPDATE orders_invoice SET data =
    CASE WHEN data ? 'reason' THEN jsonb_set(data, '{reason}', '""') ELSE data END
    || jsonb_build_object('buyer', %(buyer)s::jsonb)
WHERE id = ANY(%(keys)s)
"""

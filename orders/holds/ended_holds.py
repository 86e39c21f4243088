"""Ended holds are kept for some weeks: so long their repeats find them, and operators."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.models import Hold

KEEP = timedelta(days=30)


def old_holds() -> QuerySet[Any]:
    """Return the holds that ended and are too old to be kept."""
    return Hold.objects.filter(created_at__lt=Now() - KEEP).exclude(status=Hold.Status.OPEN)

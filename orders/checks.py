"""The system check of the schedule: work that tells the staff, and no staff to tell."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import Error

FOR_STAFF = ("orders.tasks.daily_report", "orders.tasks.low_stock")


def check_staff(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Find scheduled messages to the staff while STAFF_EMAILS is empty.

    It reads the schedule, so `check` runs it with `--database default` only.
    """
    if not databases or settings.STAFF_EMAILS or settings.TANDEM_LOCAL:
        return []
    from django_celery_beat.models import PeriodicTask

    try:
        scheduled = PeriodicTask.objects.filter(task__in=FOR_STAFF, enabled=True)
        names = sorted(scheduled.values_list("name", flat=True))
    except Error:
        return []  # no database yet, or one that isn't migrated
    if not names:
        return []
    return [
        Warning(
            f"STAFF_EMAILS is empty: nobody gets {', '.join(names)}.",
            hint="Give the staff's addresses, or turn these off under Periodic tasks.",
            id="orders.W001",
        )
    ]

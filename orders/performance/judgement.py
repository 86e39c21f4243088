"""The judgement of a run: the staff hear if its p99 is much higher than that of the last ones."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import staff_messages
from orders.accounts.staff import staff
from project.models import PerformanceRun

SLOWER = 1.3
"""A p99 of more than the median of the last runs, times this."""
EVENT = "performance_slower"


def judge(run: PerformanceRun) -> bool:
    """Compare a run that is done with the last ones like it; message the staff if it is slower.

    Its row and the messages are one transaction. Returns whether it is slower.
    """
    with transaction.atomic():
        run = PerformanceRun.objects.select_for_update().get(pk=run.pk)
        usual = PerformanceRun.objects.usual_p99(run)
        if run.state != PerformanceRun.State.DONE or run.p99 is None or usual is None:
            return False
        run.usual_p99 = usual
        run.is_slower = run.p99 > usual * SLOWER
        run.save(update_fields=["usual_p99", "is_slower"])
        if run.is_slower:
            Notification.objects.bulk_create(
                staff_messages(
                    event=EVENT,
                    readers=staff(),
                    context=slower_context(run),
                    occasion=str(run.pk),
                )
            )
        return run.is_slower


def slower_context(run: PerformanceRun) -> dict[str, Any]:
    """Return the message's context; times are whole milliseconds."""
    p99, usual = run.p99 or 0.0, run.usual_p99 or 0.0
    return {
        "p99": round(p99),
        "usual": round(usual),
        "percent": round(p99 / usual * 100 - 100) if usual else 0,
        "per_second": run.rate,
        "seconds": run.seconds,
        "url": settings.SITE_URL + reverse("admin:project_performancerun_change", args=[run.pk]),
    }

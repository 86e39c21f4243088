"""The sweep that asks providers about open attempts, so that a lost webhook loses nothing.

A sweep, not a task of the schedule: money depends on it, and a schedule can be edited.
"""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.lifecycle.errors import OrderBusy
from orders.models import PaymentAttempt
from orders.payments.attempts import GIVEN_UP, Status, look, next_look
from orders.payments.provider import ProviderDown, ProviderRefused
from project.schedule.passes import UnfinishedError

logger = logging.getLogger(__name__)

MOST = 50
"""Attempts of one run."""
RUN_SECONDS = 10.0
"""For one run; the next one goes on with those that are due longest."""


def look_at_attempts() -> dict[str, Any] | None:
    """Ask about the started attempts that are due; return the numbers, None if none was.

    Two relays at once are harmless: one of them wins each look, and a report may be entered twice.
    Raises UnfinishedError, after all others, for attempts that somebody has locked.
    """
    left = _give_up_cut_off()
    deadline = time.monotonic() + RUN_SECONDS
    asked, down = 0, set[str]()
    due = PaymentAttempt.objects.filter(
        status=Status.STARTED, look_after__lte=Now(), provider__in=settings.PAYMENT_PROVIDERS
    ).exclude(reference="")
    for attempt in due.order_by("look_after")[:MOST]:
        if time.monotonic() > deadline:
            break
        if attempt.provider in down:
            continue
        if not _win(attempt):
            left += _same_look(attempt).exists()
            continue
        asked += 1
        try:
            look(attempt)
        except OrderBusy:
            logger.info("payment attempt %s waits: its order is locked", attempt.pk)
        except ProviderDown as error:
            down.add(attempt.provider)
            logger.warning("%s can't be asked: %s", attempt.provider, error)
        except ProviderRefused as error:
            logger.error("%s refuses to be asked: %s", attempt.provider, error)
    if left:
        raise UnfinishedError(f"{left} payment attempts wait: locked by another transaction")
    return {"asked": asked, **({"down": sorted(down)} if down else {})} if asked else None


def _win(attempt: PaymentAttempt) -> bool:
    """Put off the next look; tell whether this caller did. It waits for no lock."""
    with transaction.atomic():
        same = _same_look(attempt)
        if same.select_for_update(no_key=True, skip_locked=True).first() is None:
            return False
        return same.update(look_after=Now() + next_look(attempt)) == 1


def _same_look(attempt: PaymentAttempt) -> QuerySet[PaymentAttempt]:
    """Return the attempt while its next look is the one that was read; else nothing."""
    return PaymentAttempt.objects.filter(
        pk=attempt.pk, status=Status.STARTED, look_after=attempt.look_after
    )


def _give_up_cut_off() -> int:
    """End the attempts whose start was cut off: a process died before it had the answer.

    Return how many are left because somebody has them locked.
    """
    cut_off = PaymentAttempt.objects.filter(
        status=Status.STARTED, reference="", look_after__lte=Now() - GIVEN_UP
    )
    with transaction.atomic():
        free = cut_off.select_for_update(no_key=True, skip_locked=True)
        PaymentAttempt.objects.filter(pk__in=[attempt.pk for attempt in free]).update(
            status=Status.CANCELLED, finished_at=Now()
        )
    return cut_off.count()

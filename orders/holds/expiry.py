"""Expired holds: the relay gives their units back some seconds after their time.

By the StockWriter, like everything that competes for the same units. A hold that was just ordered
isn't open any more, so the order and the expiry can't both have it.
"""

import logging
import time
from typing import Any

from django.db.models.functions import Now

from orders.models import Hold, HoldLine
from orders.placing.errors import ShopBusy
from orders.placing.held_units import GiveBack, GivenBack, HeldUnits, NotHeld
from orders.placing.writers import writers
from project.group_commit import GroupCommitError, NotTakenError, Submission
from project.schedule.passes import UnfinishedError

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
"""Holds that are submitted together."""
PATIENCE = 1.0
"""Seconds that a hold of a locked product waits for its turn; the next run tries it again."""


def give_back_expired() -> int | None:
    """End the holds whose time is over; return how many, None if none.

    Two runs at once are harmless: a hold ends once. Raises UnfinishedError, after all others, for
    holds that somebody has locked, or their product.
    """
    ended = left = 0
    while due := _due(skip=left):
        deadline = time.monotonic() + PATIENCE
        waiting = [_submit(held, deadline=deadline) for held in due]
        answers = [_answer(submission) if submission else None for submission in waiting]
        ended += sum(isinstance(answer, GivenBack) for answer in answers)
        left += sum(answer is None for answer in answers)
        if len(due) < BATCH_SIZE:
            break
    if left:
        raise UnfinishedError(f"{left} expired holds are left for later")
    return ended or None


def _due(*, skip: int) -> list[HeldUnits]:
    """Return the holds whose time is over, the oldest first, after so many that couldn't end."""
    expired = Hold.objects.filter(status=Hold.Status.OPEN, expires_at__lte=Now())
    page = expired.order_by("expires_at").values_list("pk", flat=True)[skip : skip + BATCH_SIZE]
    units: dict[Any, dict[int, int]] = {}
    for line in HoldLine.objects.filter(hold_id__in=list(page)).order_by("product_id"):
        units.setdefault(line.hold_id, {})[line.product_id] = line.quantity
    return [HeldUnits(hold_id, products) for hold_id, products in units.items()]


def _submit(held: HeldUnits, *, deadline: float) -> Submission[Any, Any] | None:
    try:
        return writers().stock.submit(GiveBack(held, Hold.Status.EXPIRED), deadline=deadline)
    except NotTakenError:
        return None


def _answer(submission: Submission[Any, Any]) -> object:
    """Return what came of it; None if it is to be tried again."""
    try:
        return submission.result(grace=PATIENCE)
    except NotHeld as answer:
        return answer
    except (GroupCommitError, ShopBusy) as error:
        logger.info("a hold isn't given back yet: %s", error)
        return None

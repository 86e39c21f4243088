"""The limits of orders: how many one address, mailbox, phone, session, or all may place.

An order from the desk isn't limited and doesn't count: an operator made it, who is known. Nor does
a synthetic one: the performance run has a rate of its own.

`placement` counts an order after its price and before the writers get it. So a repeat, an invalid
order and a sold-out one count nothing, and a refused order takes no stock.
"""

import hashlib
import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import OperationalError

from orders.placing.errors import OrderLimited
from orders.placing.request import OrderRequest
from project.email_addresses import mailbox
from project.limits import counters
from project.limits.counters import Count, Counted, LimitReachedError
from project.limits.known import ORDER
from project.models import RefusalCount

logger = logging.getLogger(__name__)


def count_order(request: OrderRequest) -> list[Counted]:
    """Count the order; return what `uncount_order` takes back. Raises OrderLimited.

    Without its counters an order is let through: a guard that can't work must not close the shop.
    """
    if settings.ORDER_LIMITS is None or request.operator is not None or request.is_synthetic:
        return []
    keys = order_keys(request)
    counts = [
        Count(f"{ORDER}:{name}", keys[name], rate, is_shared=name == "all")
        for name, rate in settings.ORDER_LIMITS.items()
        if keys[name]
    ]
    try:
        return counters.take(counts)
    except LimitReachedError as reached:
        _count_refusal(reached.limit)
        name = reached.limit.removeprefix(f"{ORDER}:")
        logger.info("an order is refused by the limit of its %s", name)
        raise OrderLimited(name, reached.retry_after) from reached
    except OperationalError:
        logger.warning("an order is placed uncounted", exc_info=True)
        return []


def _count_refusal(limit: str) -> None:
    """Count it for `/metrics`; a refusal that can't be counted stays one."""
    try:
        RefusalCount.objects.add(limit)
    except OperationalError:
        logger.warning("a refusal is not counted", exc_info=True)


def uncount_order(counted: Sequence[Counted]) -> None:
    """Take back the count of an order that was not placed, or that existed already."""
    try:
        counters.give_back(counted)
    except OperationalError:
        logger.warning("an order that was not placed stays counted", exc_info=True)


def order_keys(request: OrderRequest) -> dict[str, str]:
    """Return the keys under which the order counts, by limit; empty ones aren't counted."""
    return {
        "address": request.counted_address,
        "email": mailbox(request.email),
        "phone": request.phone,
        # The session's own key opens the session, so operators must not see it.
        "session": _digest(request.session_key) if request.session_key else "",
        "all": "all",
    }


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]

"""How often one address may have units held: each hold takes them from everybody else."""

import logging

from django.conf import settings
from django.db import OperationalError

from project.limits import counters
from project.limits.counters import Count, LimitReachedError
from project.limits.known import HOLDS_OF_ADDRESS
from project.limits.rates import HOLDS

logger = logging.getLogger(__name__)


class TooManyHolds(Exception):
    """The address has had units held too often."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        """Seconds."""


def count_hold(counted_address: str) -> None:
    """Count a hold. Raises TooManyHolds.

    Without its counters it is let through: a guard that can't work must not close the shop.
    """
    if settings.ORDER_LIMITS is None or not counted_address:
        return
    try:
        counters.take([Count(HOLDS_OF_ADDRESS, counted_address, HOLDS)])
    except LimitReachedError as reached:
        raise TooManyHolds(reached.retry_after) from reached
    except OperationalError:
        logger.warning("units are held uncounted", exc_info=True)

"""How often one address may have carriers asked: each question costs the shop a request to each."""

import logging

from django.conf import settings
from django.db import OperationalError

from project.limits import counters
from project.limits.counters import Count, LimitReachedError
from project.limits.known import QUOTES_OF_ADDRESS
from project.limits.rates import QUOTES

logger = logging.getLogger(__name__)


class TooManyQuestions(Exception):
    """The address has had carriers asked too often."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        """Seconds."""


def count_question(counted_address: str) -> None:
    """Count a question that no kept answer answers. Raises TooManyQuestions.

    Without its counters it is let through: a guard that can't work must not close the shop.
    """
    if settings.ORDER_LIMITS is None:
        return
    try:
        counters.take([Count(QUOTES_OF_ADDRESS, counted_address, QUOTES)])
    except LimitReachedError as reached:
        raise TooManyQuestions(reached.retry_after) from reached
    except OperationalError:
        logger.warning("carriers are asked uncounted", exc_info=True)

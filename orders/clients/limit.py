"""How many requests a client may send: counted a minute, for all its keys and all processes.

The counters are those of every limit (`project.limits.counters`).
"""

import logging
import math
from dataclasses import dataclass

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from orders.models import ApiClient
from project.limits.counters import Count, LimitReachedError, take
from project.limits.known import API_OF_CLIENT, API_OF_ITS_OWN
from project.limits.rates import PERIODS, Rate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Allowance:
    """What is left to a client: so many requests of `rate`, until `reset` seconds from now."""

    rate: Rate
    left: int
    reset: int


class TooManyRequestsError(Exception):
    """The client has reached its limit; the request wasn't counted."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        self.allowance = allowance


def count_request(client: ApiClient) -> Allowance | None:
    """Count a request of the client; None if nothing limits it, or the counters are away.

    A client with a number of its own is counted under another name, so that what an operator
    enters for all clients doesn't replace it. The desk shows the counters, so their key is the
    client's name. Raises TooManyRequestsError.
    """
    own = client.requests_per_minute
    rate = settings.API_CLIENT_LIMIT if own is None else Rate(own, PERIODS["min"])
    name = API_OF_CLIENT if own is None else API_OF_ITS_OWN
    try:
        counted = take([Count(name, client.name, rate)])
    except LimitReachedError as reached:
        in_force = rate if reached.rate is None else reached.rate
        raise TooManyRequestsError(Allowance(in_force, 0, reached.retry_after)) from None
    except OperationalError:
        # As with orders: a guard that can't work must not close the shop.
        logger.warning("a request of an API client is uncounted", exc_info=True)
        return None
    if not counted:
        return None
    one = counted[0]
    reset = max(1, math.ceil((one.ends_at - timezone.now()).total_seconds()))
    return Allowance(one.rate, one.rate.allowed - one.used, reset)

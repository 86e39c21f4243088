"""How orders wait for a locked product: in the writer's patient lane, counted and told."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from orders.placing.row_locks import RowLocks
from project.models import DeferralCount

logger = logging.getLogger(__name__)

REPORT_INTERVAL = 1.0
"""Seconds between two log lines, and between two writes of the count."""


class RowPatience:
    """The patience of one writer. `products` tells what an item needs, None if nobody knows yet.

    `apply` is the writer's, called without waiting.
    """

    def __init__(
        self,
        *,
        name: str,
        locks: RowLocks,
        apply: Callable[..., list[Any]],
        products: Callable[[Any], set[int] | None],
    ) -> None:
        self._name = name
        self._locks = locks
        self._apply = apply
        self._products = products
        self._unlogged = 0
        self._unsaved = 0
        self._next_report = 0.0
        self._first: Any = None

    def wait(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> None:
        """Queue for one suspect that the items need; for all that the first item needs if it was
        the first at the last turn too. Raises RepeatBatch if the turn was vain.
        """
        came_round = bool(items) and items[0] is self._first
        self._first = items[0] if items and not came_round else None
        basket = self._products(items[0]) if came_round else None
        if basket is not None and len(basket) > 1 and not self._locks.suspects.are_stuck(basket):
            self._locks.queue_for_basket(connection, basket)
            return
        needed = [self._products(item) for item in items]
        known = [products for products in needed if products is not None]
        all_known = bool(items) and len(known) == len(needed)
        self._locks.queue_for_one(connection, set().union(*known) if all_known else None)

    def apply(self, connection: BaseDatabaseWrapper, items: Sequence[Any]) -> Sequence[Any]:
        return self._apply(connection, items, wait=False)

    def is_waiting(self) -> bool:
        return self._locks.suspects.count() > 0

    def is_stuck(self, item: Any) -> bool:
        return self._locks.suspects.are_stuck(self._products(item))

    def report(self, *, deferred: int, last: bool = False) -> None:
        """Log who waits for what, and add to the count that `/metrics` shows; once a second."""
        self._unlogged += deferred
        self._unsaved += deferred
        if time.monotonic() < self._next_report and not last:
            return
        news = self._locks.suspects.news()
        if news:
            logger.warning(
                "%s waits for locked products: %s (%d orders or counts since the last line)",
                self._name,
                "; ".join(news[:10]),
                self._unlogged,
            )
            self._unlogged = 0
            self._next_report = time.monotonic() + REPORT_INTERVAL
        if self._unsaved:
            self._next_report = time.monotonic() + REPORT_INTERVAL
            try:
                DeferralCount.objects.using("writer").add(self._name, self._unsaved)
            except Error as error:  # it is kept for the next time
                logger.info("%s: deferrals not counted yet: %s", self._name, error)
            else:
                self._unsaved = 0
        if last:
            # Nobody asked for them for a while: what was known of them is old.
            self._locks.suspects.clear()

"""The locks that a StockWriter takes behind stock and holds: on vouchers, uploads, accounts."""

from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import Error
from django.db.backends.utils import CursorWrapper

from project.database.errors import is_lock_timeout
from project.group_commit import RepeatBatch

K = TypeVar("K")
V = TypeVar("V")

Take = Callable[[CursorWrapper, set[K], bool], tuple[dict[K, V], set[K]]]
"""Locks the rows with these keys, without `wait` (the third) only those that are free. Returns the
values of those that are ours, and those that somebody else has. A key in neither has no row."""


class SideLocks(Generic[K, V]):
    """The locks of one kind. A row that somebody keeps locked stops no order that doesn't need it.

    After a lock timeout the batch comes again, and takes only those that are free: the others are
    stuck from then on, and no lane waits for them until one is found free.
    """

    def __init__(self, take: Take[K, V]) -> None:
        self._take = take
        self._stuck: frozenset[K] = frozenset()
        self._probing = False

    def lock(self, cursor: CursorWrapper, keys: set[K], *, wait: bool) -> tuple[dict[K, V], set[K]]:
        """Lock the rows; return as `Take` does. Raises RepeatBatch."""
        if not keys:
            return {}, set()
        patient = set() if self._probing or not wait else keys - self._stuck
        try:
            ours, _none = self._take(cursor, patient, True) if patient else ({}, set())
        except Error as error:
            if not is_lock_timeout(error):
                raise
            self._probing = True
            raise RepeatBatch from error
        # After those that are waited for: what is held already can't close a circle.
        others = keys - patient
        free, busy = self._take(cursor, others, False) if others else ({}, set())
        if self._probing and wait:
            self._stuck |= busy
            self._probing = False
        self._stuck -= keys - busy
        return ours | free, busy

"""Locking counter rows in product order, without letting one locked row stop the others."""

from collections.abc import Iterable

from django.db import OperationalError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors

from project.database.arrays import array_literal
from project.group_commit import RepeatBatch


class RowLocks:
    """The locks that one writer takes on one table of counters, keyed by product.

    A row that somebody holds for longer than `lock_timeout` becomes a suspect: from then on it
    is only tried with SKIP LOCKED, until it is free again.
    """

    def __init__(self, model: type[models.Model], *, column: str) -> None:
        self._read = (
            f'SELECT counter.product_id, counter.{column} FROM "{model._meta.db_table}" AS counter'
            " JOIN orders_product AS product ON product.id = counter.product_id"
            " WHERE counter.product_id = ANY(%s::bigint[])"
        )
        # The product's row too: the foreign keys of what we write ask for it at COMMIT, where a
        # wait would hold up the whole batch and nobody could tell which product is to blame.
        self._wait = (
            f"{self._read} ORDER BY counter.product_id"
            " FOR NO KEY UPDATE OF counter FOR KEY SHARE OF product"
        )
        self._skip = (
            f"{self._read} ORDER BY counter.product_id"
            " FOR NO KEY UPDATE OF counter SKIP LOCKED FOR KEY SHARE OF product SKIP LOCKED"
        )
        self._suspects: set[int] = set()
        self._probing = False

    def acquire(
        self, connection: BaseDatabaseWrapper, product_ids: Iterable[int]
    ) -> tuple[dict[int, tuple[int, ...]], set[int]]:
        """Lock the rows; return the values of those we hold, by product, and who is suspect.

        A product in neither has no row. Raises RepeatBatch after a lock timeout: the next
        call finds out, without waiting, which rows are to blame.
        """
        wanted = set(product_ids)
        patient = set() if self._probing else wanted - self._suspects
        held = {}
        with connection.cursor() as cursor:
            if patient:
                try:
                    cursor.execute(self._wait, [array_literal(patient)])
                except OperationalError as error:
                    if isinstance(error.__cause__, errors.LockNotAvailable):
                        self._probing = True
                        raise RepeatBatch from error
                    raise
                held.update({row[0]: row[1:] for row in cursor.fetchall()})
            # Last, and without waiting: so holding the rows above can't close a circle.
            impatient = wanted - patient
            if impatient:
                cursor.execute(self._skip, [array_literal(impatient)])
                held.update({row[0]: row[1:] for row in cursor.fetchall()})
                self._probing = False
                missing = impatient - held.keys()
                self._suspects -= impatient
                if missing:
                    self._suspects |= self._existing(connection, missing)
        return held, self._suspects & wanted

    def _existing(self, connection: BaseDatabaseWrapper, product_ids: set[int]) -> set[int]:
        """Those that have a row at all: the others aren't locked, they don't exist."""
        with connection.cursor() as cursor:
            cursor.execute(self._read, [array_literal(product_ids)])
            return {row[0] for row in cursor.fetchall()}

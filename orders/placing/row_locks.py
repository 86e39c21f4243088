"""Row locks of the two writers: counter rows in product order. One locked row delays no other."""

from collections.abc import Iterable

from django.db import OperationalError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors

from project.database.arrays import array_literal
from project.group_commit import RepeatBatch


class RowLocks:
    """The locks that one writer takes on one table of counters, keyed by product.

    A row that another transaction holds for longer than `lock_timeout` becomes a suspect. The
    writer then tries it with SKIP LOCKED only, until it is free again.
    """

    def __init__(self, model: type[models.Model], *, column: str) -> None:
        self._read = (
            f'SELECT counter.product_id, counter.{column} FROM "{model._meta.db_table}" AS counter'
            " JOIN orders_product AS product ON product.id = counter.product_id"
            " WHERE counter.product_id = ANY(%s::bigint[])"
        )
        # The product's row is locked too. The foreign keys of the written rows lock it at COMMIT
        # anyway. A wait there would delay the whole batch, and the writer couldn't see which
        # product caused it.
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
        """Lock the rows; return the values of the locked rows by product, and the suspects.

        A product in neither has no row. Raises RepeatBatch after a lock timeout. The next call
        then finds the locked rows without waiting.
        """
        wanted = set(product_ids)
        waiting = set() if self._probing else wanted - self._suspects
        held = {}
        with connection.cursor() as cursor:
            if waiting:
                try:
                    cursor.execute(self._wait, [array_literal(waiting)])
                except OperationalError as error:
                    if isinstance(error.__cause__, errors.LockNotAvailable):
                        self._probing = True
                        raise RepeatBatch from error
                    raise
                held.update({row[0]: row[1:] for row in cursor.fetchall()})
            # These rows come last and without waiting, so the locks above can't cause a deadlock.
            skipping = wanted - waiting
            if skipping:
                cursor.execute(self._skip, [array_literal(skipping)])
                held.update({row[0]: row[1:] for row in cursor.fetchall()})
                self._probing = False
                missing = skipping - held.keys()
                self._suspects -= skipping
                if missing:
                    self._suspects |= self._existing(connection, missing)
        return held, self._suspects & wanted

    def _existing(self, connection: BaseDatabaseWrapper, product_ids: set[int]) -> set[int]:
        """Return the products that have a row: the other ones aren't locked, they don't exist."""
        with connection.cursor() as cursor:
            cursor.execute(self._read, [array_literal(product_ids)])
            return {row[0] for row in cursor.fetchall()}

"""Locking counter rows in product order, without letting one locked row stop the others."""

from collections.abc import Iterable

from django.db import Error, models
from django.db.backends.base.base import BaseDatabaseWrapper

from orders.placing.suspects import Suspects
from project.database.arrays import array_literal
from project.database.errors import LOCK_NOT_AVAILABLE, sqlstate
from project.group_commit import RepeatBatch

TURN = 1.0
"""Seconds that the patient lane waits for one holder of a row; all suspects share it."""
SHORTEST_TURN = 0.25


class RowLocks:
    """The locks that one writer takes on one table of counters, keyed by product.

    A row that one transaction holds for longer than `lock_timeout` becomes a suspect. From then
    on the writer's main lane leaves it alone, and its patient lane queues for it: it waits for
    one suspect at a time with nothing else in its hands, so that it stops nobody. A basket that
    needs several, and didn't find the others free, then waits for all of them together. Once the
    lane has the row, the product is no suspect any more.
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
        self.suspects = Suspects(table=model._meta.db_table)
        self._probing = False

    def acquire(
        self, connection: BaseDatabaseWrapper, product_ids: Iterable[int]
    ) -> tuple[dict[int, tuple[int, ...]], set[int]]:
        """Lock the rows; return the values of those we hold, by product, and the suspects.

        For the main lane. A product in neither has no row. Raises RepeatBatch after a lock
        timeout: the next call finds out, without waiting, which rows are to blame.
        """
        wanted = set(product_ids)
        suspects = self.suspects.among(wanted)
        wanted -= suspects
        if self._probing:
            held, locked = self.acquire_free(connection, wanted)
            self._probing = False
            return held, suspects | locked
        try:
            return (self._execute(connection, self._wait, wanted) if wanted else {}), suspects
        except Error as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                self._probing = True
                raise RepeatBatch from error
            raise

    def acquire_free(
        self, connection: BaseDatabaseWrapper, product_ids: Iterable[int]
    ) -> tuple[dict[int, tuple[int, ...]], set[int]]:
        """Lock those rows that nobody holds; the others are suspects from now on.

        Returns as `acquire` does. It never waits, so what is held already can't close a circle.
        """
        wanted = set(product_ids)
        held = self._execute(connection, self._skip, wanted) if wanted else {}
        self.suspects.discard(held)
        missing = wanted - held.keys()
        return held, self.suspects.add(connection, missing) if missing else set()

    def queue_for_one(self, connection: BaseDatabaseWrapper, product_ids: set[int] | None) -> None:
        """Wait until one suspect among these products (None: any) is ours, and nothing else.

        For the patient lane, first in its transaction: it stands in line with the writers of
        other processes, where whoever only tries never gets a turn. Raises RepeatBatch if one
        transaction holds it for longer than the turn.
        """
        product_id = self.suspects.begin_turn(connection, product_ids)
        if product_id is None:
            return
        turn = max(SHORTEST_TURN, TURN / max(1, self.suspects.count()))
        try:
            self._wait_for(connection, {product_id}, seconds=turn)
        except RepeatBatch:
            self.suspects.end_turn(product_id, got=False)
            raise
        self.suspects.end_turn(product_id, got=True)

    def queue_for_basket(self, connection: BaseDatabaseWrapper, product_ids: set[int]) -> None:
        """Wait until all these rows are ours, first in the transaction.

        For a basket whose products are never free at the same moment. The rows are taken in
        product order as the main lanes take them, so no circle closes; but while it waits for
        the second, others wait for the first. Raises RepeatBatch if one holder keeps any of
        them for longer than the shortest turn.
        """
        self._wait_for(connection, product_ids, seconds=SHORTEST_TURN)
        self.suspects.discard(product_ids)

    def _wait_for(
        self, connection: BaseDatabaseWrapper, product_ids: set[int], *, seconds: float
    ) -> None:
        """Lock the rows; raise RepeatBatch if one holder keeps one of them for that long."""
        with connection.cursor() as cursor:
            milliseconds = f"{seconds * 1000:.0f}ms"
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [milliseconds])
        try:
            self._execute(connection, self._wait, product_ids)
        except Error as error:
            if sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            raise RepeatBatch from error

    def _execute(
        self, connection: BaseDatabaseWrapper, statement: str, product_ids: set[int]
    ) -> dict[int, tuple[int, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [array_literal(product_ids)])
            return {row[0]: row[1:] for row in cursor.fetchall()}

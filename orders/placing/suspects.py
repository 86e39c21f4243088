"""Products whose rows somebody held for too long: since when, and who holds them.

A writer that holds a row gives it on in a moment; anybody else may keep it for an hour. The
difference decides how many orders may wait for it.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from project.database.arrays import array_literal


@dataclass(frozen=True)
class Holder:
    """The transaction that holds a product's row."""

    transaction: int
    pid: int
    application: str
    state: str
    is_writer: bool

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.application or 'no name'}, {self.state or 'unknown state'})"


@dataclass
class Suspect:
    """A product whose row could not be had within a lock timeout."""

    sku: str
    holder: Holder | None
    """None where it isn't known: it has just let go, or released the savepoint it locked in."""
    stuck: bool
    """It may be long: somebody other than a writer holds it, or one writer for very long."""
    since: float = field(default_factory=time.monotonic)
    last_turn: float = 0.0
    timed_out: bool = False
    """The last turn came to nothing within a lock timeout."""

    def __str__(self) -> str:
        seconds = time.monotonic() - self.since
        return f"{self.sku}, held by {self.holder or 'others'}, suspect for {seconds:.1f} s"


class Suspects:
    """The suspects of one table of counters, shared by the two lanes of a writer."""

    def __init__(self, *, table: str) -> None:
        # An uncommitted lock or update leaves its transaction in the row's xmax. The product's
        # row is looked at too: the writers lock it with the counter's.
        self._holders = f"""
            SELECT counter.product_id, product.sku,
                   lock.transactionid = counter.xmax AS on_counter,
                   lock.transactionid::text::bigint, session.pid,
                   coalesce(session.application_name, ''), coalesce(session.state, ''),
                   coalesce(session.application_name = current_setting('application_name'), false)
            FROM "{table}" AS counter
            JOIN orders_product AS product ON product.id = counter.product_id
            LEFT JOIN (pg_locks AS lock JOIN pg_stat_activity AS session USING (pid))
                   ON lock.locktype = 'transactionid' AND lock.granted
                  AND lock.transactionid IN (counter.xmax, product.xmax)
            WHERE counter.product_id = ANY(%s::bigint[])
        """
        self._lock = threading.Lock()
        self._suspects: dict[int, Suspect] = {}
        self._news: dict[str, str] = {}

    def among(self, product_ids: set[int]) -> set[int]:
        """Return those of the products that are suspects."""
        with self._lock:
            return product_ids & self._suspects.keys()

    def are_stuck(self, product_ids: Iterable[int] | None) -> bool:
        """Tell whether one of these (None: of all) may be long."""
        with self._lock:
            if product_ids is None:
                return any(suspect.stuck for suspect in self._suspects.values())
            found = (self._suspects.get(product_id) for product_id in product_ids)
            return any(suspect.stuck for suspect in found if suspect is not None)

    def discard(self, product_ids: Iterable[int]) -> None:
        """Trust these products again: their rows are ours."""
        with self._lock:
            for product_id in product_ids:
                self._suspects.pop(product_id, None)

    def add(self, connection: BaseDatabaseWrapper, product_ids: set[int]) -> set[int]:
        """Suspect these products; return those that have a row at all: others aren't locked,
        they don't exist.
        """
        skus, holders = self._look(connection, product_ids)
        with self._lock:
            for product_id, sku in skus.items():
                if product_id not in self._suspects:
                    holder = holders.get(product_id)
                    stuck = holder is not None and not holder.is_writer
                    self._suspects[product_id] = Suspect(sku, holder, stuck)
                self._news[sku] = str(self._suspects[product_id])
        return set(skus)

    def begin_turn(
        self, connection: BaseDatabaseWrapper, product_ids: set[int] | None
    ) -> int | None:
        """Return the suspect among these (None: among all) whose last turn is longest ago.

        One that could not be had in its last turn is looked at again: if the same transaction
        still holds it, it is stuck.
        """
        with self._lock:
            wanted = [
                product_id
                for product_id in self._suspects
                if product_ids is None or product_id in product_ids
            ]
            if not wanted:
                return None
            chosen = min(wanted, key=lambda product_id: self._suspects[product_id].last_turn)
            look_again = self._suspects[chosen].timed_out
        _skus, holders = self._look(connection, {chosen}) if look_again else ({}, {})
        with self._lock:
            suspect = self._suspects.get(chosen)
            if suspect is not None:
                if look_again:
                    holder = holders.get(chosen)
                    same = holder == suspect.holder or (
                        holder is not None
                        and suspect.holder is not None
                        and holder.transaction == suspect.holder.transaction
                    )
                    suspect.stuck = same or (holder is not None and not holder.is_writer)
                    suspect.holder, suspect.timed_out = holder, False
                suspect.last_turn = time.monotonic()
                self._news[suspect.sku] = str(suspect)
        return chosen

    def end_turn(self, product_id: int, *, got: bool) -> None:
        """Note how the turn ended: the product is ours, or was not to be had."""
        with self._lock:
            if got:
                self._suspects.pop(product_id, None)
            elif product_id in self._suspects:
                self._suspects[product_id].timed_out = True

    def clear(self) -> None:
        """Trust all products again."""
        with self._lock:
            self._suspects.clear()

    def count(self) -> int:
        with self._lock:
            return len(self._suspects)

    def news(self) -> list[str]:
        """Return what is known of the products that were suspects since the last call."""
        with self._lock:
            news, self._news = self._news, {}
            return [news[sku] for sku in sorted(news)]

    def _look(
        self, connection: BaseDatabaseWrapper, product_ids: set[int]
    ) -> tuple[dict[int, str], dict[int, Holder]]:
        """Return the SKU of each product that has a row, and the holders that are known."""
        with connection.cursor() as cursor:
            cursor.execute(self._holders, [array_literal(product_ids)])
            rows = cursor.fetchall()
        skus: dict[int, str] = {}
        holders: dict[int, Holder] = {}
        # The counter's own holder last: it is the one that counts.
        for product_id, sku, on_counter, *holder in sorted(rows, key=lambda row: bool(row[2])):
            skus[product_id] = sku
            # A writer that has the product's row lets the others have it too.
            if holder[0] is not None and (on_counter or not holder[4]):
                holders[product_id] = Holder(*holder)
        return skus, holders

"""The stock writer: takes stock and writes orders, many orders in one transaction.

The order's row is the commit record: it exists only with its stock taken and its jobs queued. The
same batches open holds and end them: they compete for the same units.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orders.models import Hold, Stock
from orders.placing.draft import AlreadyPlaced, Draft, Taken
from orders.placing.errors import KeyReused, OutOfStock, ShopBusy, Shortage, UploadsGone
from orders.placing.held_units import (
    Ending,
    GiveBack,
    GivenBack,
    Held,
    HoldDraft,
    NotHeld,
    end_holds,
    hold_fingerprints,
    lock_open,
    write_holds,
)
from orders.placing.order_rows import fingerprints_of, lock_users, write_orders
from orders.placing.row_locks import RowLocks
from orders.placing.side_locks import SideLocks
from orders.placing.uploads import assign, lock_untaken
from orders.placing.voucher_rows import Limits, VoucherRows, lock_vouchers
from project.group_commit import DEFER, RepeatBatch

Item: TypeAlias = Draft | HoldDraft | GiveBack
"""What the stock writer is asked for."""


@dataclass(frozen=True)
class _Side:
    """The locks behind those of stock and holds, in their order."""

    vouchers: SideLocks[int, Limits]
    uploads: SideLocks[UUID, None]
    users: SideLocks[int, None]


class StockWriter:
    """The group committer runs `apply` for each batch. Suspect rows are kept between batches."""

    def __init__(self) -> None:
        self.locks = RowLocks(Stock, column="available")
        self._side = _Side(SideLocks(lock_vouchers), SideLocks(lock_untaken), SideLocks(lock_users))

    def apply(
        self, connection: BaseDatabaseWrapper, items: Sequence[Item], *, wait: bool = True
    ) -> list[Any]:
        """Serve the items in their order; take all lines of an item or none.

        Returns an answer per item: Taken, Held, GivenBack, AlreadyPlaced, OutOfStock, NotHeld,
        UploadsGone, VoucherRefused, KeyReused, ShopBusy or DEFER. A batch of orders takes three
        statements, whatever its size, because bulk_create would halve the orders per second;
        accounts take one more, uploads two, vouchers three, holds up to four. Without `wait`, an
        item whose rows aren't free is deferred.
        """
        acquire = self.locks.acquire if wait else self.locks.acquire_free
        held, suspects = acquire(
            connection, (product_id for item in items for product_id in item.product_ids)
        )
        available = {product_id: values[0] for product_id, values in held.items()}
        with connection.cursor() as cursor:
            batch = _Batch(cursor, items, available, suspects, self._side, wait=wait)
            answers = [batch.decide(item) for item in items]
            written = batch.write()
        return [
            written[item.id] if answer is None and not isinstance(item, GiveBack) else answer
            for item, answer in zip(items, answers, strict=True)
        ]


class _Batch:
    """One batch: what was read under the locks, and what was decided so far."""

    def __init__(
        self,
        cursor: CursorWrapper,
        items: Sequence[Item],
        available: dict[int, int],
        suspects: Collection[int],
        side: _Side,
        *,
        wait: bool,
    ) -> None:
        self._cursor = cursor
        self._available = available
        self._suspects = frozenset(suspects)
        self._wait = wait
        wanted = {item.held.id for item in items if item.held}
        self._open, self._busy_holds = lock_open(cursor, wanted) if wanted else (set(), set())
        uses = [item.use for item in items if isinstance(item, Draft) and item.use]
        self._vouchers = None
        if uses:
            voucher_ids = {use.voucher_id for use in uses}
            limits, _busy = side.vouchers.lock(cursor, voucher_ids, wait=wait)
            self._vouchers = VoucherRows(cursor, uses, limits)
        tokens = {part.token for item in items if isinstance(item, Draft) for part in item.uploads}
        untaken, self._busy_uploads = side.uploads.lock(cursor, tokens, wait=wait)
        self._untaken = set(untaken)
        users = {key for item in items if isinstance(item, Draft) for key in item.user_ids}
        _ours, self._busy_users = side.users.lock(cursor, users, wait=wait)
        # Read after the locks: an order that another process committed is visible now.
        self._known: dict[UUID, str] = {}
        if order_ids := {item.id for item in items if isinstance(item, Draft)}:
            self._known |= fingerprints_of(cursor, order_ids)
        if hold_ids := {item.id for item in items if isinstance(item, HoldDraft)}:
            self._known |= hold_fingerprints(cursor, hold_ids)
        self._orders: list[Draft] = []
        self._holds: list[HoldDraft] = []
        self._endings: list[Ending] = []

    def decide(self, item: Item) -> Any:
        """Return the item's answer; None for one that is accepted and has to be written."""
        if isinstance(item, GiveBack):
            return self._give_back(item)
        if (seen := self._known.get(item.id)) is not None:
            return AlreadyPlaced() if seen == item.fingerprint else KeyReused(item.id)
        if not self._suspects.isdisjoint(item.product_ids):
            return DEFER
        if item.held and item.held.id in self._busy_holds:
            return ShopBusy()
        tokens = {part.token for part in item.uploads}
        if not self._busy_uploads.isdisjoint(tokens):
            return self._busy()
        if isinstance(item, Draft) and not self._busy_users.isdisjoint(item.user_ids):
            return self._busy()
        held = item.held if item.held and item.held.id in self._open else None
        if shortages := self._shortages(item, held.units if held else {}):
            return OutOfStock(shortages)
        if gone := tokens - self._untaken:
            return UploadsGone(frozenset(gone))
        if use := item.use if isinstance(item, Draft) else None:
            assert self._vouchers
            if refusal := self._vouchers.refusal(use):
                if refusal.reason != "busy":
                    return refusal
                return self._busy()
            self._vouchers.accept(item.id, use)
        is_order = isinstance(item, Draft)
        if held:
            status = Hold.Status.ORDERED if is_order else Hold.Status.REPLACED
            self._end(Ending(held.id, status, item.id if is_order else None), held.units)
        for line in item.lines:
            self._available[line.product_id] -= line.quantity
        self._untaken -= tokens
        # A second draft of the same order in this batch finds it placed.
        self._known[item.id] = item.fingerprint
        self._orders.append(item) if isinstance(item, Draft) else self._holds.append(item)
        return None

    def write(self) -> dict[UUID, Taken | Held]:
        """Write what was accepted; return what came of it, by id. Raises RepeatBatch."""
        written: dict[UUID, Taken | Held] = {}
        if self._endings:  # first: the counters never go below zero
            end_holds(self._cursor, self._endings)
        if self._holds:
            written |= write_holds(self._cursor, self._holds)
            if len(written) < len(self._holds):
                raise RepeatBatch  # another process committed one of these ids
        if self._vouchers:
            self._vouchers.write()
        if self._orders:
            orders = write_orders(self._cursor, self._orders)
            written |= orders
            parts = [
                part.row(number=orders[draft.id].number)
                for draft in self._orders
                for part in draft.uploads
            ]
            if parts:
                assign(self._cursor, parts)
        return written

    def _give_back(self, item: GiveBack) -> Any:
        if not self._suspects.isdisjoint(item.product_ids):
            return DEFER
        if item.held.id in self._busy_holds:
            return ShopBusy()
        if item.held.id not in self._open:
            return NotHeld()
        self._end(Ending(item.held.id, item.status), item.held.units)
        return GivenBack()

    def _busy(self) -> Any:
        """Return the answer of an item whose voucher, upload or account somebody has locked."""
        return ShopBusy() if self._wait else DEFER

    def _end(self, ending: Ending, units: Mapping[int, int]) -> None:
        self._open.discard(ending.hold_id)
        self._endings.append(ending)
        for product_id, quantity in units.items():
            self._available[product_id] += quantity

    def _shortages(self, item: Draft | HoldDraft, held: Mapping[int, int]) -> list[Shortage]:
        found = []
        for line in item.lines:
            there = self._available.get(line.product_id, 0) + held.get(line.product_id, 0)
            if there < line.quantity:
                found.append(Shortage(line.sku, line.name, line.quantity, there))
        return found

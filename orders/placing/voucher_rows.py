"""The StockWriter's part of vouchers: lock the codes, decide who still gets one, count the uses.

A voucher's row is locked after the stock and the holds. A batch counts all its uses of one code by
one UPDATE, so a code that everybody uses is locked once per batch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from orders.placing.errors import VoucherRefused
from project.database.arrays import array_literal


@dataclass(frozen=True)
class DraftUse:
    """An order's use of a voucher, as it was priced."""

    voucher_id: int
    code: str
    persons: tuple[str, ...]
    """Whose use it is: see `orders.vouchers.uses.persons_of`."""
    amount: Decimal


@dataclass(frozen=True)
class Limits:
    is_active: bool
    used: int
    limit: int | None
    per_person: int | None


class VoucherRows:
    """The vouchers of one batch under their locks."""

    def __init__(
        self, cursor: CursorWrapper, uses: Sequence[DraftUse], limits: dict[int, Limits]
    ) -> None:
        """`limits` are of the vouchers that are locked; the others are busy."""
        self._cursor = cursor
        self._limits = limits
        self._used = Counter({voucher_id: each.used for voucher_id, each in limits.items()})
        self._used_by = _used_by(
            cursor,
            {
                (use.voucher_id, person)
                for use in uses
                if self._is_per_person(use)
                for person in use.persons
            },
        )
        self._accepted: list[tuple[UUID, DraftUse]] = []

    def refusal(self, use: DraftUse) -> VoucherRefused | None:
        """Return why the order can't use the voucher now; None if it can."""
        limits = self._limits.get(use.voucher_id)
        if limits is None:
            return VoucherRefused("busy", use.code)
        if not limits.is_active:
            return VoucherRefused("ended", use.code)
        if limits.limit is not None and self._used[use.voucher_id] >= limits.limit:
            return VoucherRefused("used_up", use.code)
        by_person = sum(self._used_by[use.voucher_id, person] for person in use.persons)
        if limits.per_person is not None and by_person >= limits.per_person:
            return VoucherRefused("used_by_person", use.code)
        return None

    def accept(self, order_id: UUID, use: DraftUse) -> None:
        """Count the use; `write` stores it."""
        self._used[use.voucher_id] += 1
        self._used_by[use.voucher_id, use.persons[0]] += 1
        self._accepted.append((order_id, use))

    def write(self) -> None:
        """Write what was accepted: the counters and the ledger, by one statement."""
        if not self._accepted:
            return
        self._cursor.execute(
            """
            WITH use AS MATERIALIZED (
                SELECT * FROM unnest(%(orders)s::uuid[], %(vouchers)s::bigint[],
                                     %(persons)s::text[], %(amounts)s::numeric[])
                     AS use (order_id, voucher_id, person, amount)
            ), counted AS (
                UPDATE orders_voucher AS voucher SET used = used + more
                FROM (SELECT voucher_id, count(*) AS more FROM use GROUP BY voucher_id) AS use
                WHERE voucher.id = use.voucher_id
            )
            INSERT INTO orders_voucheruse (order_id, voucher_id, person, amount)
            SELECT order_id, voucher_id, person, amount FROM use
            """,
            {
                "orders": [order_id for order_id, _use in self._accepted],
                "vouchers": [use.voucher_id for _order_id, use in self._accepted],
                "persons": [use.persons[0] for _order_id, use in self._accepted],
                "amounts": [use.amount for _order_id, use in self._accepted],
            },
        )

    def _is_per_person(self, use: DraftUse) -> bool:
        limits = self._limits.get(use.voucher_id)
        return limits is not None and limits.per_person is not None


_LOCK = """
    SELECT id, is_active AND coalesce(ends_at > now(), true), used, "limit", limit_per_person
    FROM orders_voucher WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"""


def lock_vouchers(
    cursor: CursorWrapper, voucher_ids: set[int], wait: bool
) -> tuple[dict[int, Limits], set[int]]:
    """Lock the vouchers, as `side_locks.Take`; return their limits. None is ever deleted."""
    cursor.execute(_LOCK if wait else f"{_LOCK} SKIP LOCKED", [array_literal(voucher_ids)])
    locked = {row[0]: Limits(*row[1:]) for row in cursor.fetchall()}
    return locked, voucher_ids - locked.keys()


def _used_by(cursor: CursorWrapper, wanted: set[tuple[int, str]]) -> Counter[tuple[int, str]]:
    """Return how often each of these persons has used the voucher."""
    if not wanted:
        return Counter()
    pairs = list(wanted)
    cursor.execute(
        "SELECT voucher_id, person, count(*) FROM orders_voucheruse"
        " WHERE (voucher_id, person) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))"
        " AND given_back_at IS NULL GROUP BY voucher_id, person",
        [[pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )
    return Counter({(row[0], row[1]): row[2] for row in cursor.fetchall()})

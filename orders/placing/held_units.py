"""The StockWriter's part of holds: what it is asked for, and its SQL.

A hold takes its units off the counter when it opens, and gives all of them back when it ends. An
order that uses a hold ends it and takes its own units in the same transaction, so nobody can buy
them in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from orders.models import Hold, HoldLine
from orders.placing.errors import PlacementError
from project.database.arrays import array_literal
from project.tracing.spans import traceparent


@dataclass(frozen=True)
class HeldUnits:
    """An open hold as it was read without a lock. While it is open its units don't change."""

    id: UUID
    units: dict[int, int]
    """By product."""


@dataclass(frozen=True)
class HeldLine:
    """The units of a product that a hold takes."""

    product_id: int
    sku: str
    name: str
    quantity: int


@dataclass(frozen=True)
class HoldDraft:
    """A hold that is ready to be written."""

    id: UUID
    fingerprint: str
    lines: tuple[HeldLine, ...]
    seconds: float
    held: HeldUnits | None = None
    """The hold that it replaces: its units count for this one."""
    traceparent: str = field(default_factory=traceparent)
    uploads: tuple[()] = ()

    @property
    def product_ids(self) -> set[int]:
        """The products whose stock it changes."""
        return {line.product_id for line in self.lines} | _products_of(self.held)


@dataclass(frozen=True)
class GiveBack:
    """The wish to end a hold without an order."""

    held: HeldUnits
    status: Hold.Status
    """How it ends: GIVEN_BACK or EXPIRED."""
    traceparent: str = field(default_factory=traceparent)

    @property
    def product_ids(self) -> set[int]:
        """The products whose stock it changes."""
        return set(self.held.units)


@dataclass(frozen=True)
class Held:
    """The units are held."""

    expires_at: datetime


@dataclass(frozen=True)
class GivenBack:
    """The units are available again."""


class NotHeld(PlacementError):
    """The hold has ended before."""


@dataclass(frozen=True)
class Ending:
    """An open hold that this batch ends."""

    hold_id: UUID
    status: Hold.Status
    order_id: UUID | None = None


def read_held(hold_id: UUID) -> HeldUnits | None:
    """Return the units of the hold; None if it doesn't exist or isn't open. It takes no lock."""
    lines = HoldLine.objects.filter(hold_id=hold_id, hold__status=Hold.Status.OPEN)
    units = dict(lines.values_list("product_id", "quantity"))
    return HeldUnits(hold_id, units) if units else None


def _products_of(held: HeldUnits | None) -> set[int]:
    return set(held.units) if held else set()


_OPEN = "SELECT id FROM orders_hold WHERE id = ANY(%s::uuid[]) AND status = 'open'"


def lock_open(cursor: CursorWrapper, hold_ids: set[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Lock those of these holds that are open; return their ids, and those that are open and busy.

    Their stock is locked already, so no writer has any of them. Whoever else has one may keep it
    for long: nobody waits for that.
    """
    cursor.execute(f"{_OPEN} ORDER BY id FOR NO KEY UPDATE SKIP LOCKED", [array_literal(hold_ids)])
    locked = {row[0] for row in cursor.fetchall()}
    busy: set[UUID] = set()
    if missing := hold_ids - locked:
        cursor.execute(_OPEN, [array_literal(missing)])
        busy = {row[0] for row in cursor.fetchall()}
    return locked, busy


def hold_fingerprints(cursor: CursorWrapper, hold_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the fingerprints of those of these holds that exist."""
    cursor.execute(
        "SELECT id, fingerprint FROM orders_hold WHERE id = ANY(%s::uuid[])",
        [array_literal(hold_ids)],
    )
    return dict(cursor.fetchall())


def end_holds(cursor: CursorWrapper, endings: Sequence[Ending]) -> None:
    """End these locked holds, and make their units available."""
    cursor.execute(
        """
        WITH ended AS (
            UPDATE orders_hold AS hold
            SET status = ending.status, order_id = ending.order_id, ended_at = now()
            FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(orders)s::uuid[])
                 AS ending (id, status, order_id)
            WHERE hold.id = ending.id
        ), back AS (
            DELETE FROM orders_holdline WHERE hold_id = ANY(%(ids)s::uuid[])
            RETURNING product_id, quantity
        )
        UPDATE orders_stock AS stock SET available = available + units
        FROM (SELECT product_id, sum(quantity) AS units FROM back GROUP BY product_id) AS back
        WHERE stock.product_id = back.product_id
        """,
        {
            "ids": [ending.hold_id for ending in endings],
            "statuses": [str(ending.status) for ending in endings],
            "orders": [ending.order_id for ending in endings],
        },
    )


def write_holds(cursor: CursorWrapper, drafts: Sequence[HoldDraft]) -> dict[UUID, Held]:
    """Insert the holds and take their units; return those that were inserted, by id.

    One that is missing was committed by another process meanwhile: the batch must be repeated.
    """
    lines = [(draft.id, line.product_id, line.quantity) for draft in drafts for line in draft.lines]
    cursor.execute(
        """
        WITH line AS MATERIALIZED (
            SELECT * FROM unnest(%(line_holds)s::uuid[], %(products)s::bigint[],
                                 %(quantities)s::integer[]) AS line (hold_id, product_id, quantity)
        ), opened AS (
            INSERT INTO orders_hold (id, fingerprint, units, expires_at)
            SELECT id, fingerprint, (SELECT sum(quantity) FROM line WHERE hold_id = id),
                   now() + seconds * interval '1 second'
            FROM unnest(%(ids)s::uuid[], %(fingerprints)s::text[], %(seconds)s::float8[])
                 AS draft (id, fingerprint, seconds)
            ORDER BY id
            ON CONFLICT (id) DO NOTHING
            RETURNING id, expires_at
        ), lines AS (
            INSERT INTO orders_holdline (hold_id, product_id, quantity)
            SELECT hold_id, product_id, quantity FROM line JOIN opened ON opened.id = hold_id
        ), taken AS (
            UPDATE orders_stock AS stock SET available = available - units
            FROM (SELECT product_id, sum(quantity) AS units FROM line JOIN opened ON id = hold_id
                  GROUP BY product_id) AS line
            WHERE stock.product_id = line.product_id
        )
        SELECT id, expires_at FROM opened
        """,
        {
            "ids": [draft.id for draft in drafts],
            "fingerprints": [draft.fingerprint for draft in drafts],
            "seconds": [draft.seconds for draft in drafts],
            "line_holds": [line[0] for line in lines],
            "products": [line[1] for line in lines],
            "quantities": [line[2] for line in lines],
        },
    )
    return {row[0]: Held(expires_at=row[1]) for row in cursor.fetchall()}

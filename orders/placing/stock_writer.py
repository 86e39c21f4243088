"""The stock writer: takes stock and writes orders, many orders in one transaction.

The order's row is the commit record: it exists only with its stock taken and its jobs queued.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import Order, Stock
from orders.placing.errors import KeyReused, OutOfStock, Shortage, UploadsGone
from orders.placing.row_locks import RowLocks
from orders.placing.uploads import DraftUpload, assign, lock_untaken
from project.database.arrays import array_literal
from project.group_commit import DEFER, RepeatBatch
from project.jobs.bell import RING
from project.order_numbers import NUMBER_PREFIX
from project.tracing.spans import traceparent
from project.trail import request_id


@dataclass(frozen=True)
class DraftLine:
    product_id: int
    sku: str
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    tax_rate: Decimal | None = None
    """In per cent; None: unknown."""


@dataclass(frozen=True)
class Draft:
    """An order that is priced and ready to be written, with its jobs."""

    order: Order
    lines: tuple[DraftLine, ...]
    notifications: tuple[Notification, ...]
    media_jobs: tuple[MediaJob, ...]
    context: dict[str, Any]
    """The order data that each of its jobs stores, without the order's number."""
    uploads: tuple[DraftUpload, ...] = ()
    operator_id: int | None = None
    """The user who made the order for a customer, if any."""
    detail: dict[str, Any] = field(default_factory=dict)
    """The detail of the order's first event."""
    is_synthetic: bool = False
    """See `OrderRequest.is_synthetic`."""
    request_id: str = field(default_factory=request_id)
    """The request that made it, for the log."""
    traceparent: str = field(default_factory=traceparent)
    """Its span, with which its jobs go on; empty without traces."""

    @property
    def jobs(self) -> list[Notification | MediaJob]:
        """All jobs that are queued with the order."""
        return [*self.notifications, *self.media_jobs, *(part.job for part in self.uploads)]


@dataclass(frozen=True)
class Taken:
    """The stock is taken and the order committed."""

    number: int
    placed_at: datetime


@dataclass(frozen=True)
class AlreadyPlaced:
    """The order existed before: this draft repeats it."""


class StockWriter:
    """The group committer runs `apply` for each batch. Suspect rows are kept between batches."""

    def __init__(self) -> None:
        self.locks = RowLocks(Stock, column="available")

    def apply(
        self, connection: BaseDatabaseWrapper, drafts: Sequence[Draft], *, wait: bool = True
    ) -> list[Any]:
        """Place the drafts in their order; take all lines of a draft or none.

        Returns an answer per draft: Taken, AlreadyPlaced, OutOfStock, UploadsGone, KeyReused or
        DEFER. A batch of any size takes three statements, because bulk_create would halve the
        orders per second; it takes two more if a draft has uploads. Without `wait`, a draft
        whose rows aren't free is deferred.
        """
        acquire = self.locks.acquire if wait else self.locks.acquire_free
        held, suspects = acquire(
            connection, (line.product_id for draft in drafts for line in draft.lines)
        )
        available = {product_id: values[0] for product_id, values in held.items()}
        tokens = {part.token for draft in drafts for part in draft.uploads}
        with connection.cursor() as cursor:
            untaken = lock_untaken(cursor, tokens) if tokens else set()
            # Read after the locks: an order that another process committed is visible now.
            fingerprints = fingerprints_of(cursor, {draft.order.id for draft in drafts})
            answers: list[Any] = []
            accepted: dict[UUID, Draft] = {}
            for draft in drafts:
                seen = fingerprints.get(draft.order.id)
                if seen is not None:
                    same = seen == draft.order.fingerprint
                    answers.append(AlreadyPlaced() if same else KeyReused(draft.order.id))
                elif not suspects.isdisjoint(line.product_id for line in draft.lines):
                    answers.append(DEFER)
                elif shortages := _shortages(draft, available):
                    answers.append(OutOfStock(shortages))
                elif gone := {part.token for part in draft.uploads} - untaken:
                    answers.append(UploadsGone(frozenset(gone)))
                else:
                    for line in draft.lines:
                        available[line.product_id] -= line.quantity
                    untaken.difference_update(part.token for part in draft.uploads)
                    # A second draft of the same order in this batch finds it placed.
                    fingerprints[draft.order.id] = draft.order.fingerprint
                    accepted[draft.order.id] = draft
                    answers.append(None)
            written = _write(cursor, list(accepted.values())) if accepted else {}
            parts = [
                part.row(number=written[draft.order.id].number)
                for draft in accepted.values()
                for part in draft.uploads
            ]
            if parts:
                assign(cursor, parts)
        return [
            written[draft.order.id] if answer is None else answer
            for draft, answer in zip(drafts, answers, strict=True)
        ]


def fingerprints_of(cursor: CursorWrapper, order_ids: set[UUID]) -> dict[UUID, str]:
    """Return the fingerprints of those of these orders that are committed."""
    cursor.execute(
        "SELECT id, fingerprint FROM orders_order WHERE id = ANY(%s::uuid[])",
        [array_literal(order_ids)],
    )
    return dict(cursor.fetchall())


def _shortages(draft: Draft, available: dict[int, int]) -> list[Shortage]:
    return [
        Shortage(line.sku, line.name, line.quantity, available.get(line.product_id, 0))
        for line in draft.lines
        if available.get(line.product_id, 0) < line.quantity
    ]


def _write(cursor: CursorWrapper, drafts: list[Draft]) -> dict[UUID, Taken]:
    cursor.execute(
        _WRITE, {"drafts": json.dumps([_row(draft) for draft in drafts]), "prefix": NUMBER_PREFIX}
    )
    rows = cursor.fetchall()
    if len(rows) < len(drafts):
        # Another process committed one of these ids, with other products, after `fingerprints_of`.
        raise RepeatBatch
    return {row[0]: Taken(number=row[1], placed_at=row[2]) for row in rows}


def _row(draft: Draft) -> dict[str, Any]:
    """Return the draft in the shape that `_WRITE` reads."""
    order = draft.order
    return {
        "id": str(order.pk),
        "door": order.door,
        "user_id": order.user_id,
        "fingerprint": order.fingerprint,
        "name": order.name,
        "email": order.email,
        "phone": order.phone,
        "language": order.language,
        "address": order.address,
        "currency": order.currency,
        "items_total": str(order.items_total),
        "delivery_total": str(order.delivery_total),
        "delivery": order.delivery,
        "total": str(order.total),
        "payment_method": order.payment_method,
        "context": draft.context,
        "operator_id": draft.operator_id,
        "detail": draft.detail,
        "traceparent": draft.traceparent,
        "lines": [
            {
                "product_id": line.product_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "total": str(line.total),
                "tax_rate": None if line.tax_rate is None else str(line.tax_rate),
            }
            for line in draft.lines
        ],
        "notifications": [
            {
                "id": str(job.pk),
                "kind": job.kind,
                "event": job.event,
                "channel": job.channel,
                "recipient": job.recipient,
                "language": job.language,
            }
            for job in draft.notifications
        ],
        "media_jobs": [
            {"id": str(job.pk), "kind": job.kind, "source": job.source, "recipe": job.recipe}
            for job in draft.media_jobs
        ],
    }


# One statement writes the whole batch; the drafts are one JSON document. Sixteen orders take one
# round trip and 3 ms of PostgreSQL. With one statement per table they took 50 ms: after each
# statement the writer waited for the interpreter, which a hundred other threads also wanted.
_WRITE = """
WITH draft AS MATERIALIZED (
    SELECT *, nextval('orders_order_number') AS number
    FROM jsonb_to_recordset(%(drafts)s::jsonb) AS draft (
        id uuid, door text, user_id bigint, fingerprint text, name text, email text, phone text,
        language text, address jsonb, currency text, items_total numeric,
        delivery_total numeric, delivery jsonb, total numeric, payment_method text,
        context jsonb, operator_id bigint, detail jsonb, traceparent text, lines jsonb,
        notifications jsonb, media_jobs jsonb
    )
), placed AS (
    INSERT INTO orders_order (
        id, number, door, user_id, fingerprint, name, email, phone, language, address, currency,
        items_total, delivery_total, delivery, total, payment_method
    )
    SELECT id, number, door, user_id, fingerprint, name, email, phone, language, address,
           currency, items_total, delivery_total, delivery, total, payment_method
    FROM draft ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, number, placed_at
), work AS MATERIALIZED (
    SELECT id AS order_id, operator_id, detail, traceparent, lines, notifications, media_jobs,
           jsonb_build_object(
               'number', %(prefix)s::text || placed.number, 'placed_at', placed.placed_at
           ) || context AS context
    FROM placed JOIN draft USING (id)
), line AS MATERIALIZED (
    SELECT order_id, line.*
    FROM work, jsonb_to_recordset(lines) AS line (
        product_id bigint, sku text, name text, quantity integer, unit_price numeric,
        total numeric, tax_rate numeric
    )
), taken AS (
    UPDATE orders_stock AS stock SET available = available - units
    FROM (SELECT product_id, sum(quantity) AS units FROM line GROUP BY product_id) AS line
    WHERE stock.product_id = line.product_id
), lines AS (
    INSERT INTO orders_orderline
        (order_id, product_id, sku, name, quantity, unit_price, total, tax_rate)
    SELECT order_id, product_id, sku, name, quantity, unit_price, total, tax_rate FROM line
), movements AS (
    INSERT INTO orders_stockmovement (order_id, product_id, kind, quantity)
    SELECT order_id, product_id, 'order', -quantity FROM line
), events AS (
    INSERT INTO orders_orderevent (order_id, kind, detail, user_id)
    SELECT order_id, 'placed', detail, operator_id FROM work
), messages AS (
    INSERT INTO notifications_notification
        (id, order_id, kind, context, traceparent, event, channel, recipient, language)
    SELECT job.id, order_id, job.kind, context, traceparent, job.event, job.channel,
           job.recipient, job.language
    FROM work, jsonb_to_recordset(notifications)
         AS job (id uuid, kind text, event text, channel text, recipient text, language text)
), pictures AS (
    INSERT INTO media_jobs_mediajob
        (id, order_id, kind, context, traceparent, source, recipe)
    SELECT job.id, order_id, job.kind, context, traceparent, job.source, job.recipe
    FROM work, jsonb_to_recordset(media_jobs) AS job (id uuid, kind text, source text, recipe text)
)
SELECT id, number, placed_at, {ring} FROM placed
""".replace("{ring}", RING)

"""The StockWriter's SQL for orders with uploads: lock the uploads, then assign them to lines.

It runs in the order's transaction, so an existing order has its uploads and their jobs.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from media_jobs.models import MediaJob
from project.database.arrays import array_literal
from project.order_numbers import NUMBER_PREFIX


@dataclass(frozen=True)
class DraftUpload:
    """An upload for some units of one line of a draft, with the job that prepares it."""

    token: UUID
    order_id: UUID
    product_id: int
    quantity: int
    job: MediaJob

    def row(self, *, number: int) -> dict[str, Any]:
        """Return the upload in the shape that `_TAKE` reads, with its order's number."""
        return {
            "token": str(self.token),
            "order_id": str(self.order_id),
            "product_id": self.product_id,
            "quantity": self.quantity,
            "id": str(self.job.pk),
            "kind": self.job.kind,
            "source": self.job.source,
            "recipe": self.job.recipe,
            "traceparent": self.job.traceparent,
            "context": {"number": f"{NUMBER_PREFIX}{number}", **self.job.context},
        }


def lock_untaken(
    cursor: CursorWrapper, tokens: set[UUID], wait: bool
) -> tuple[dict[UUID, None], set[UUID]]:
    """Lock the uploads that exist and that no order has taken, as `side_locks.Take`."""
    lock = f"{_UNTAKEN} ORDER BY token FOR UPDATE"
    cursor.execute(lock if wait else f"{lock} SKIP LOCKED", [array_literal(tokens)])
    locked = {row[0]: None for row in cursor.fetchall()}
    missing = tokens - locked.keys()
    if wait or not missing:
        return locked, set()
    cursor.execute(_UNTAKEN, [array_literal(missing)])
    return locked, {row[0] for row in cursor.fetchall()}


def assign(cursor: CursorWrapper, parts: list[dict[str, Any]]) -> None:
    """Assign the locked uploads to the lines of the new orders, and queue their jobs."""
    cursor.execute(_TAKE, {"parts": json.dumps(parts)})


# After a wait for the lock PostgreSQL reads the row again, so a taken upload isn't returned.
_UNTAKEN = "SELECT token FROM orders_upload WHERE token = ANY(%s::uuid[]) AND line_id IS NULL"

_TAKE = """
WITH part AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(parts)s::jsonb) AS part (
        id uuid, token uuid, order_id uuid, product_id bigint, quantity integer, kind text,
        source text, recipe text, traceparent text, context jsonb
    )
), taken AS (
    UPDATE orders_upload AS upload SET line_id = line.id, quantity = part.quantity
    FROM part JOIN orders_orderline AS line USING (order_id, product_id)
    WHERE upload.token = part.token
)
INSERT INTO media_jobs_mediajob (id, order_id, kind, context, traceparent, source, recipe)
SELECT id, order_id, kind, context, traceparent, source, recipe FROM part
"""

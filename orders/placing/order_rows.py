"""The StockWriter's SQL for orders: those that exist, and new ones with all their rows."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from orders.placing.agent_events import tell_agents
from orders.placing.draft import Draft, Taken
from orders.placing.webhook_events import PLACED, SOMEBODY_WANTS_PLACED, tell_placed
from project.database.arrays import array_literal
from project.group_commit import RepeatBatch
from project.jobs.bell import RING
from project.order_numbers import NUMBER_PREFIX


def fingerprints_of(cursor: CursorWrapper, order_ids: set[UUID]) -> dict[UUID, str]:
    """Return the fingerprints of those of these orders that are committed."""
    cursor.execute(
        "SELECT id, fingerprint FROM orders_order WHERE id = ANY(%s::uuid[])",
        [array_literal(order_ids)],
    )
    return dict(cursor.fetchall())


def lock_users(
    cursor: CursorWrapper, user_ids: set[int], wait: bool
) -> tuple[dict[int, None], set[int]]:
    """Lock the accounts that orders name, as `side_locks.Take`.

    The foreign keys of the orders ask for them at COMMIT, where a wait would hold up the whole
    batch.
    """
    lock = f"{_USERS} ORDER BY id FOR KEY SHARE"
    cursor.execute(lock if wait else f"{lock} SKIP LOCKED", [array_literal(user_ids)])
    locked = {row[0]: None for row in cursor.fetchall()}
    missing = user_ids - locked.keys()
    if wait or not missing:
        return locked, set()
    cursor.execute(_USERS, [array_literal(missing)])
    return locked, {row[0] for row in cursor.fetchall()}


_USERS = "SELECT id FROM orders_user WHERE id = ANY(%s::bigint[])"


def write_orders(cursor: CursorWrapper, drafts: Sequence[Draft]) -> dict[UUID, Taken]:
    """Write the orders with all their rows, and take their stock. Raises RepeatBatch."""
    cursor.execute(
        _WRITE, {"drafts": json.dumps([_row(draft) for draft in drafts]), "prefix": NUMBER_PREFIX}
    )
    rows = cursor.fetchall()
    if len(rows) < len(drafts):
        # Another process committed one of these ids, with other products, after `fingerprints_of`.
        raise RepeatBatch
    written = {row[0]: Taken(number=row[1], placed_at=row[2]) for row in rows}
    if rows[0][-1]:
        tell_placed(cursor, drafts, written)
    tell_agents(cursor, PLACED, drafts)
    return written


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
        "discount_total": str(order.discount_total),
        "voucher_code": order.voucher_code,
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
                "discount": str(line.discount),
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
        delivery_total numeric, delivery jsonb, discount_total numeric, voucher_code text,
        total numeric, payment_method text,
        context jsonb, operator_id bigint, detail jsonb, traceparent text, lines jsonb,
        notifications jsonb, media_jobs jsonb
    )
), placed AS (
    INSERT INTO orders_order (
        id, number, door, user_id, fingerprint, name, email, phone, language, address, currency,
        items_total, delivery_total, delivery, discount_total, voucher_code, total, payment_method
    )
    SELECT id, number, door, user_id, fingerprint, name, email, phone, language, address,
           currency, items_total, delivery_total, delivery, discount_total, voucher_code, total,
           payment_method
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
        total numeric, tax_rate numeric, discount numeric
    )
), taken AS (
    UPDATE orders_stock AS stock SET available = available - units
    FROM (SELECT product_id, sum(quantity) AS units FROM line GROUP BY product_id) AS line
    WHERE stock.product_id = line.product_id
), lines AS (
    INSERT INTO orders_orderline
        (order_id, product_id, sku, name, quantity, unit_price, total, tax_rate, discount)
    SELECT order_id, product_id, sku, name, quantity, unit_price, total, tax_rate, discount
    FROM line
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
SELECT id, number, placed_at, {ring}, {wanted} FROM placed
""".replace("{ring}", RING).replace("{wanted}", SOMEBODY_WANTS_PLACED)

"""The events of agents' orders: a delivery to the platform, in the transaction of the event.

The checkout that places the order names the endpoint (`AgentCheckout.events_to`); what is sent is
made at the first attempt (`orders.agents.order_events`).
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from notifications.webhooks.outbox import Event, Listener, write_deliveries
from orders.models import Order
from orders.placing.draft import Draft
from project.database.arrays import array_literal

_CHANGING = frozenset(
    {
        *("order.packed", "order.shipped", "order.parcel_corrected", "order.delivered"),
        *("order.cancelled", "refund.owed", "refund.paid_out", "order.corrected"),
        *(f"order.return_{step}" for step in ("requested", "accepted", "refused", "withdrawn")),
        "order.return_received",
    }
)
"""What changes an order as platforms read it: payments are no part of it."""
# To one that is off nothing is written, as with those of people: it would wait for ever.
_ENDPOINTS = """
SELECT places, events_to_id FROM orders_agentcheckout
JOIN notifications_webhookendpoint AS endpoint ON endpoint.id = events_to_id
WHERE places = ANY(%s::uuid[]) AND endpoint.status <> 'off'
"""


def tell_agents(cursor: CursorWrapper, kind: str, drafts: Sequence[Draft]) -> None:
    """Write the deliveries of a batch of new orders; no statement if no agent placed any."""
    ids = [draft.order.pk for draft in drafts if draft.order.door == Order.Source.AGENT]
    if ids:
        _write(cursor, kind, ids)


def tell_platform(kind: str, order: Order) -> None:
    """Write the delivery of what changed an agent's order, in the caller's transaction."""
    if order.door == Order.Source.AGENT and kind in _CHANGING:
        with connection.cursor() as cursor:
            _write(cursor, kind, [order.pk])


def _write(cursor: CursorWrapper, kind: str, order_ids: Iterable[UUID]) -> None:
    cursor.execute(_ENDPOINTS, [array_literal(order_ids)])
    by_endpoint: dict[int, list[Event]] = {}
    for order_id, endpoint_id in cursor.fetchall():
        about = {"id": str(order_id)}
        event = Event(kind, full=about, thin=about, order_id=order_id)
        by_endpoint.setdefault(endpoint_id, []).append(event)
    for endpoint_id, events in by_endpoint.items():
        listener = Listener(endpoint_id, True, None, frozenset(), frozenset())
        write_deliveries(events, [listener], cursor=cursor)

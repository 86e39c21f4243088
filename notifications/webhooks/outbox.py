"""Writes the deliveries of events, in the transaction of the events.

Who listens is asked in that transaction, too: an endpoint that was made a moment ago misses
nothing, and without one nothing is written. Where the question itself would cost (placing), a
statement that is made anyway asks for `SOMEBODY_LISTENS`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.backends.utils import CursorWrapper

from project.database.keys import time_ordered_key
from project.tracing.spans import traceparent

SOMEBODY_LISTENS = (
    "EXISTS (SELECT FROM notifications_webhookendpoint"
    " WHERE status <> 'off' AND '{kind}' = ANY(events))"
)
"""The expression that tells whether any endpoint wants events of this kind."""


@dataclass(frozen=True)
class Event:
    """What happened. Values of `full` and `thin` are what JSON has."""

    kind: str
    """A name of `notifications.webhooks.events.EVENTS`."""
    full: dict[str, Any]
    thin: dict[str, Any]
    """What names it, and where the rest can be read: no personal data, and no id that opens any."""
    order_id: UUID | None = None
    """The order whose events are told one after the other."""
    total: Decimal | None = None
    country: str = ""
    skus: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Listener:
    """An endpoint that wants an event's kind, with its filters."""

    id: int
    is_thin: bool
    minimum: Decimal | None
    countries: frozenset[str]
    skus: frozenset[str]

    def wants(self, event: Event) -> bool:
        """Tell whether the event passes the filters; those that it has no value for, it passes."""
        if self.minimum is not None and event.total is not None and event.total < self.minimum:
            return False
        if self.countries and event.country and event.country not in self.countries:
            return False
        return not (self.skus and event.skus and self.skus.isdisjoint(event.skus))


def listeners(kind: str, *, cursor: CursorWrapper | None = None) -> list[Listener]:
    """Return the endpoints that want events of this kind; paused ones get them later."""
    sql = (
        "SELECT id, is_thin, minimum, countries, skus FROM notifications_webhookendpoint"
        " WHERE status <> 'off' AND %s = ANY(events)"
    )
    if cursor is None:
        with connection.cursor() as own:
            own.execute(sql, [kind])
            rows = own.fetchall()
    else:
        cursor.execute(sql, [kind])
        rows = cursor.fetchall()
    return [
        Listener(key, is_thin, minimum, frozenset(countries), frozenset(skus))
        for key, is_thin, minimum, countries, skus in rows
    ]


def tell(kind: str, make: Callable[[], Event | Iterable[Event]]) -> None:
    """Write the deliveries of an event, or of several of one kind; `make` is called if wanted."""
    if found := listeners(kind):
        made = make()
        write_deliveries([made] if isinstance(made, Event) else list(made), found)


def write_deliveries(
    events: Sequence[Event], found: Sequence[Listener], *, cursor: CursorWrapper | None = None
) -> int:
    """Write a delivery for each event and endpoint that wants it, in their order; return how many.

    One statement, whatever their number.
    """
    rows = [
        {
            "id": str(time_ordered_key()),
            "endpoint_id": listener.id,
            "order_id": str(event.order_id) if event.order_id else None,
            "kind": event.kind,
            "data": event.thin if listener.is_thin else event.full,
        }
        for event in events
        for listener in found
        if listener.wants(event)
    ]
    if not rows:
        return 0
    values = {"rows": json.dumps(rows, cls=DjangoJSONEncoder), "traceparent": traceparent()}
    if cursor is None:
        with connection.cursor() as own:
            own.execute(_INSERT, values)
    else:
        cursor.execute(_INSERT, values)
    return len(rows)


_INSERT = """
INSERT INTO notifications_webhookdelivery
    (id, endpoint_id, order_id, kind, context, traceparent)
SELECT id, endpoint_id, order_id, kind,
       jsonb_build_object('type', kind, 'timestamp', statement_timestamp(), 'data', data),
       %(traceparent)s
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS row (id uuid, endpoint_id bigint, order_id uuid, kind text, data jsonb)
"""

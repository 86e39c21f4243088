"""Which deliveries may go now: few at a time for each endpoint, an order's one after the other.

All deliveries wait parked. At each look of the relay, and after each one that was taken, those that
may go are made ready. So an endpoint that hangs holds two threads of the workers for one attempt,
then one, whatever waits for it; and all endpoints together hold half of the threads of one worker
(`project.local.shop`): the others are the messages'.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from project.database.advisory_lock import try_lock_until_commit
from project.jobs.queryset import PARKED

PER_ENDPOINT = 2
"""Deliveries that are on their way to one endpoint at a time; one while it doesn't answer."""
AT_ONCE = 4
"""Deliveries that are on their way at a time, to all endpoints."""
AWAY_AT_ONCE = 2
"""Of these, to endpoints that don't answer."""
WAITS_FOR_EARLIER = timedelta(hours=1)
"""The limit of an order's sequence: an earlier delivery that its endpoint refuses is waited for so
long after its first attempt. While the endpoint doesn't answer at all, nothing overtakes."""
_CLAIM_WITHIN = timedelta(seconds=30)
"""The relay rings a delivery that a worker has let go for itself, and then not claimed."""
_LOCK = 7_420_263_117
"""The advisory lock of admission: two at once would let too many go."""

_OPEN_ENDPOINTS = """
SELECT id, failures, going, waits FROM (
    SELECT endpoint.id, failures,
           (SELECT count(*) FROM notifications_webhookdelivery
            WHERE endpoint_id = endpoint.id AND status IN ('queued', 'running')
              AND ring_after <> %(parked)s) AS going,
           status = 'active' AND coalesce(resting_until <= statement_timestamp(), true)
           AND EXISTS (SELECT FROM notifications_webhookdelivery
                       WHERE endpoint_id = endpoint.id AND status = 'queued'
                         AND ring_after = %(parked)s AND run_after <= statement_timestamp())
           AS waits
    FROM notifications_webhookendpoint AS endpoint
) AS endpoint
WHERE going > 0 OR waits
ORDER BY random()
"""
# An earlier one stands in the way while it is open; one that is refused, and pauses, not for ever.
_ADMIT = """
UPDATE notifications_webhookdelivery AS delivery
SET ring_after = statement_timestamp() + %(within)s, rings = 0,
    overtook = coalesce(chosen.earlier, overtook)
FROM (
    SELECT id, (
        SELECT id FROM notifications_webhookdelivery AS earlier
        WHERE earlier.endpoint_id = waiting.endpoint_id AND earlier.order_id = waiting.order_id
          AND earlier.position < waiting.position AND earlier.status IN ('queued', 'running')
        ORDER BY position LIMIT 1
    ) AS earlier
    FROM notifications_webhookdelivery AS waiting
    WHERE endpoint_id = %(endpoint)s AND status = 'queued' AND ring_after = %(parked)s
      AND run_after <= statement_timestamp()
      AND NOT EXISTS (
          SELECT FROM notifications_webhookdelivery AS earlier
          WHERE earlier.endpoint_id = waiting.endpoint_id AND earlier.order_id = waiting.order_id
            AND earlier.position < waiting.position AND earlier.status IN ('queued', 'running')
            AND NOT (%(is_well)s AND earlier.status = 'queued'
                     AND earlier.run_after > statement_timestamp()
                     AND coalesce(earlier.tried_at < statement_timestamp() - %(limit)s, false)))
    ORDER BY position LIMIT %(free)s
    FOR UPDATE SKIP LOCKED
) AS chosen
WHERE delivery.id = chosen.id
RETURNING delivery.id
"""


@dataclass(frozen=True)
class _Endpoint:
    id: int
    failures: int
    going: int
    waits: bool


def admit() -> list[UUID]:
    """Let go what may go; return the deliveries' ids. The relay calls it before each look."""
    if not any(endpoint.waits for endpoint in _endpoints()):
        return []
    with transaction.atomic():
        if not try_lock_until_commit(_LOCK):
            return []
        return [
            admitted
            for endpoint, free in _free_places(_endpoints())
            for admitted in _let_go(endpoint, free=free, within=timedelta(0))
        ]


def admit_next(endpoint_id: int) -> UUID | None:
    """Let the endpoint's next delivery go, for the caller to claim; None without place or need."""
    with transaction.atomic():
        if not try_lock_until_commit(_LOCK):
            return None  # the relay is at it
        for endpoint, _free in _free_places(_endpoints()):
            if endpoint.id == endpoint_id and not endpoint.failures:
                return next(iter(_let_go(endpoint, free=1, within=_CLAIM_WITHIN)), None)
    return None


def _free_places(endpoints: list[_Endpoint]) -> list[tuple[_Endpoint, int]]:
    """Return the endpoints that something may go to, with the number of places of each."""
    left = AT_ONCE - sum(endpoint.going for endpoint in endpoints)
    away = AWAY_AT_ONCE - sum(endpoint.going for endpoint in endpoints if endpoint.failures)
    found = []
    for endpoint in endpoints:
        free = (1 if endpoint.failures else PER_ENDPOINT) - endpoint.going
        free = min(free, left, away if endpoint.failures else left)
        if not endpoint.waits or free <= 0:
            continue
        left -= free
        away -= free if endpoint.failures else 0
        found.append((endpoint, free))
    return found


def _endpoints() -> list[_Endpoint]:
    """Return the endpoints that something goes to, or could."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_ENDPOINTS, {"parked": PARKED})
        return [_Endpoint(*row) for row in cursor.fetchall()]


def _let_go(endpoint: _Endpoint, *, free: int, within: timedelta) -> list[UUID]:
    values: dict[str, Any] = {
        "endpoint": endpoint.id,
        "free": free,
        "parked": PARKED,
        "is_well": not endpoint.failures,
        "limit": WAITS_FOR_EARLIER,
        "within": within,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADMIT, values)
        return [row[0] for row in cursor.fetchall()]

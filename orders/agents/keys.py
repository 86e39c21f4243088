"""Idempotency keys of agents: a repeat gets the first answer, another request is refused.

The row is written before the operation is done, so another request under the same key is refused
from then on. An operation that was cut off is done again by its repeat: each one is idempotent by
itself (a new cart or checkout has an id that derives from its key).
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.agents.errors import ProtocolError
from orders.agents.negotiation import Session
from orders.models import AgentAnswer
from project.database.errors import dropped_if_lost

KEEP = timedelta(hours=48)
"""The protocol wants a day at least, and two where that is possible."""
LONGEST = 200
Answer = tuple[int, dict[str, Any]]


def once(
    session: Session,
    key: str,
    *,
    operation: str,
    target: str,
    payload: Any,
    do: Callable[[UUID, bool], Answer],
) -> Answer:
    """Return the answer of `do`, or the first one under this key. Raises ProtocolError.

    `do` gets the id that a new resource has, and whether a request under the key was begun before.
    Without a key nothing is kept. Answers of the transport, such as "busy", aren't kept either: the
    same key may succeed later.
    """
    if not key:
        return do(uuid4(), False)
    if len(key) > LONGEST or not key.isprintable():
        raise ProtocolError(400, "invalid_request", "Send an Idempotency-Key of printable text.")
    fingerprint = hashlib.sha256(
        json.dumps([operation, target, payload], sort_keys=True).encode()
    ).hexdigest()
    kept, is_new = _claimed(_possible_ids(session, operation, key), fingerprint)
    if kept.fingerprint != fingerprint:
        raise ProtocolError(
            409, "idempotency_conflict", "Another request was sent under this Idempotency-Key."
        )
    if kept.status is not None:
        return kept.status, kept.body
    status, body = do(kept.pk, not is_new)
    if status < 500:
        AgentAnswer.objects.filter(pk=kept.pk, status=None).update(status=status, body=body)
    return status, body


def old_answers() -> QuerySet[AgentAnswer]:
    return AgentAnswer.objects.filter(created_at__lt=Now() - KEEP)


def _claimed(ids: list[UUID], fingerprint: str) -> tuple[AgentAnswer, bool]:
    """Return the key's row, and whether it is new. If it can't be kept, nothing is done."""
    current, *earlier = ids
    try:
        known = AgentAnswer.objects.filter(pk__in=earlier).first() if earlier else None
        if known is not None:
            return known, False
        return AgentAnswer.objects.get_or_create(pk=current, defaults={"fingerprint": fingerprint})
    except DatabaseError as error:
        dropped_if_lost(error, connection)
        raise ProtocolError(
            503, "busy", "The key can't be kept now. Nothing was done.", retry_after=2
        ) from error


def _possible_ids(session: Session, operation: str, key: str) -> list[UUID]:
    """Return every id that the key's row may have, the current one first.

    A row from before SECRET_KEY was rotated has an id from SECRET_KEY_FALLBACKS.
    """
    message = f"ucp\x00{session.platform.pk}\x00{operation}\x00{key}".encode()
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hmac.digest(secret.encode(), message, "sha256") for secret in secrets]
    return [UUID(bytes=digest[:16], version=4) for digest in digests]

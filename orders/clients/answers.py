"""A request under an `Idempotency-Key`: done once, and a repeat gets the first answer again.

    claim   a row with the request's fingerprint, committed before anything is done
    work    the service, in transactions of its own
    keep    the answer, unless another request with the key has kept one meanwhile

A process may die between them, and two requests with one key may work at once. Both is harmless,
because each service behind it does a thing once: a payment by its reference, a refund and a
movement by a key that derives from this one, a status by its counted UPDATE. So a claim without an
answer is worked on again. A refusal isn't kept: the same request may succeed later.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.models import ApiAnswer, ApiClient

KEEP = timedelta(days=30)
_NAMESPACE = UUID("6b0c6f0e-6d0c-4d5c-9c39-1f2d0f6c4a51")


class ClientKeyReusedError(Exception):
    """The client made another request under this key; nothing was done."""


@dataclass(frozen=True)
class Claim:
    """A request that holds its key."""

    client_id: int
    key: str
    since: datetime
    """When the key was first claimed."""
    is_first: bool
    """No request claimed it before."""

    @property
    def id(self) -> UUID:
        """The key of what the request makes once, such as a refund."""
        return uuid5(_NAMESPACE, f"{self.client_id}:{self.key}")


@dataclass(frozen=True)
class Kept:
    """The JSON of an answer."""

    answer: str
    is_repeat: bool


def fingerprint_of(operation: str, **parts: Any) -> str:
    """Return the digest of a request: its operation, and its parsed parts as JSON."""
    content = json.dumps([operation, parts], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def answer_once(
    client: ApiClient, *, key: str, fingerprint: str, work: Callable[[Claim], str]
) -> Kept:
    """Return the kept answer to this request, or do `work` and keep what it returns.

    An exception of `work` goes through, and the key stays the request's.
    Raises ClientKeyReusedError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [client.pk, key, fingerprint])
        is_first = cursor.rowcount == 1
    row = ApiAnswer.objects.get(client=client, key=key)
    if row.fingerprint != fingerprint:
        raise ClientKeyReusedError
    if row.answer:
        return Kept(row.answer, is_repeat=True)
    answer = work(Claim(client.pk, key, since=row.created_at, is_first=is_first))
    if ApiAnswer.objects.filter(pk=row.pk, answer="").update(answer=answer) == 1:
        return Kept(answer, is_repeat=False)
    # Another request with the key was quicker: both give its answer.
    kept = ApiAnswer.objects.filter(pk=row.pk).values_list("answer", flat=True).first()
    return Kept(kept or answer, is_repeat=True)


def old_answers() -> QuerySet[ApiAnswer]:
    """Return the answers that nobody repeats any more."""
    return ApiAnswer.objects.filter(created_at__lt=Now() - KEEP)


_CLAIM = """
INSERT INTO orders_apianswer (client_id, key, fingerprint) VALUES (%s, %s, %s)
ON CONFLICT (client_id, key) DO NOTHING
"""

"""An order's id: derived from its idempotency key, so that a repeat finds the order."""

import hmac
from uuid import UUID

from django.conf import settings


def owner_of_key(*, source: str, user_id: int | None) -> int | None:
    """Return the user whose key it is: two users of an API may choose the same one.

    The shop's keys are random, and only the browser knows them. They belong to nobody: a shopper
    who sends a form as a guest, signs in and sends it again must not order twice.
    """
    return None if source == "shop" else user_id


def order_id(*, source: str, user_id: int | None, key: str) -> UUID:
    """Return the id under which a request with this key is, or would be, placed."""
    owner = owner_of_key(source=source, user_id=user_id)
    return _derive(settings.SECRET_KEY, source, owner, key)


def order_ids(*, source: str, user_id: int | None, key: str) -> list[UUID]:
    """Return every id that a repeat may find its order under, the current one first.

    Orders placed before SECRET_KEY was rotated are found by its fallbacks.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    owner = owner_of_key(source=source, user_id=user_id)
    return [_derive(secret, source, owner, key) for secret in secrets]


def _derive(secret: str, source: str, user_id: int | None, key: str) -> UUID:
    message = f"order\x00{source}\x00{'' if user_id is None else user_id}\x00{key}"
    digest = hmac.digest(secret.encode(), message.encode(), "sha256")
    return UUID(bytes=digest[:16], version=4)  # 122 bits that can't be told from random

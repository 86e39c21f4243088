"""An order's id: derived from its idempotency key, so that a repeat finds the order."""

import hmac
from uuid import UUID

from django.conf import settings


def owner_of_key(*, source: str, user_id: int | None) -> int | None:
    """Return the id of the user who owns the key, or None for a key without an owner.

    API users choose their keys, so two of them may choose the same one. The keys of shop and desk
    are random and known to the browser alone; they have no owner. A shopper who sends the form as a
    guest, signs in and sends it again must not order twice, nor must an operator whose customer
    gets an account in between.
    """
    return user_id if source == "api" else None


def order_id(*, source: str, user_id: int | None, key: str) -> UUID:
    """Return the id that an order with this key gets."""
    owner = owner_of_key(source=source, user_id=user_id)
    return _derive(settings.SECRET_KEY, source, owner, key)


def order_ids(*, source: str, user_id: int | None, key: str) -> list[UUID]:
    """Return every id that an order with this key may have, the current one first.

    An order that was placed before SECRET_KEY was rotated has an id from SECRET_KEY_FALLBACKS.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    owner = owner_of_key(source=source, user_id=user_id)
    return [_derive(secret, source, owner, key) for secret in secrets]


def hold_ids(*, source: str, key: str) -> list[UUID]:
    """Return every id that a hold under the key may have, the current one first, as of orders."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_hash(secret, f"hold\x00{source}\x00{key}") for secret in secrets]


def _derive(secret: str, source: str, user_id: int | None, key: str) -> UUID:
    message = f"order\x00{source}\x00{'' if user_id is None else user_id}\x00{key}"
    return _hash(secret, message)


def _hash(secret: str, message: str) -> UUID:
    digest = hmac.digest(secret.encode(), message.encode(), "sha256")
    return UUID(bytes=digest[:16], version=4)  # 122 bits that look random

"""The secrets of endpoints: made here, sealed in their rows, shown once.

While one is replaced, both sign: the other system changes to the new one when it likes.
"""

import base64
import secrets
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction

from notifications.models import WebhookEndpoint
from project.database.clock import database_now
from project.sealing import seal, unseal

PREFIX = "whsec_"
"""Standard Webhooks: a secret is this and the key in base64."""
KEY_BYTES = 32
OVERLAP = timedelta(hours=24)
"""The time for which the earlier secret signs, too."""
_PURPOSE = "webhook secret"


def new_secret() -> str:
    """Return a new secret, as its endpoint's people get it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def sealed(secret: str) -> str:
    """Return the secret as its row keeps it."""
    return seal(secret, purpose=_PURPOSE)


def replace_secret(endpoint_id: int) -> str:
    """Give the endpoint a new secret and return it; the one before signs for `OVERLAP` more.

    One that can't be read (of a restored backup, or of a lost SECRET_KEY) is not kept.
    """
    secret = new_secret()
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
        is_kept = can_sign(endpoint)
        endpoint.old_secret = endpoint.secret if is_kept else ""
        endpoint.old_secret_until = database_now() + OVERLAP if is_kept else None
        endpoint.secret = sealed(secret)
        endpoint.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return secret


def can_sign(endpoint: WebhookEndpoint) -> bool:
    """Tell whether the endpoint's present secret can be read."""
    return bool(_keys(endpoint.secret))


def signing_keys(endpoint: WebhookEndpoint, *, now: datetime) -> list[bytes]:
    """Return the keys that sign now, the newest first. Raises InvalidToken without a new one."""
    newest = _key(endpoint.secret)
    if endpoint.old_secret_until and endpoint.old_secret_until > now:
        return [newest, *_keys(endpoint.old_secret)]
    return [newest]


def _keys(sealed_secret: str) -> list[bytes]:
    """Return the key of a secret; none if it can't be read."""
    try:
        return [_key(sealed_secret)]
    except InvalidToken:
        return []


def _key(sealed_secret: str) -> bytes:
    secret = unseal(sealed_secret, purpose=_PURPOSE)
    return base64.b64decode(secret.removeprefix(PREFIX))

"""The secrets of endpoints: made here, sealed in their rows, shown once.

While one is replaced, both sign: the other system changes to the new one when it likes.
"""

import base64
import secrets
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Now

from notifications.models import WebhookEndpoint
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
    """Give the endpoint a new secret and return it; the one before signs for `OVERLAP` more."""
    secret = new_secret()
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(
        old_secret=F("secret"), old_secret_until=Now() + OVERLAP, secret=sealed(secret)
    )
    return secret


def signing_keys(endpoint: WebhookEndpoint, *, now: datetime) -> list[bytes]:
    """Return the keys that sign now, the newest first."""
    kept = [endpoint.secret]
    if endpoint.old_secret_until and endpoint.old_secret_until > now:
        kept.append(endpoint.old_secret)
    return [_key(unseal(each, purpose=_PURPOSE)) for each in kept]


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))

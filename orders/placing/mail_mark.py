"""The mark in an e-mail's link to an order: who follows the link has got the e-mail.

The order's page alone doesn't tell that, because the browser that placed the order is led there.
"""

import hmac
from uuid import UUID

from django.conf import settings


def mail_mark(order_id: UUID) -> str:
    """Return the mark, which only the order's e-mails have."""
    return _mark(settings.SECRET_KEY, order_id)


def is_mail_mark(order_id: UUID, mark: str) -> bool:
    """Tell whether it is the order's mark, also by a SECRET_KEY before a rotation."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(
        hmac.compare_digest(_mark(secret, order_id).encode(), mark.encode(errors="replace"))
        for secret in secrets
    )


def _mark(secret: str, order_id: UUID) -> str:
    return hmac.digest(secret.encode(), b"mail\x00" + order_id.bytes, "sha256")[:12].hex()

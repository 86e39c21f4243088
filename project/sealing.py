"""Seals secrets that the shop must read again: a copy of the database holds none in the clear.

The keys derive from SECRET_KEY, one for each purpose. What can be kept as a hash isn't sealed.
"""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def seal(text: str, *, purpose: str) -> str:
    """Return the text encrypted."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Decrypt by SECRET_KEY, or by one of SECRET_KEY_FALLBACKS while a key is replaced.

    Raises `cryptography.fernet.InvalidToken` for what no such key has sealed for this purpose.
    """
    return _cipher(purpose).decrypt(sealed.encode()).decode()


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(_key(secret, purpose)))
            for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        ]
    )


def _key(secret: str, purpose: str) -> bytes:
    """Return a key of 32 bytes that tells nothing of the secret."""
    return salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest()

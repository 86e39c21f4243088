"""Signed URLs of private files: shoppers' uploads and their renditions.

They are stored below `private/` and read by signed URLs only, which expire. The page that shows
such a URL checks the permission to see it.
"""

import time
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from media_jobs.models import Rendition

ROOT = "private/"
VALID = 3600
"""The minimum validity of a URL in seconds; the maximum is twice as long."""

_signer = Signer(salt="media_jobs.private")


def signed_url(path: str) -> str:
    """Return a URL of the file. Within an hour it is the same, so that browsers may cache it.

    It is our own URL for every storage: the file comes with our headers, and no bucket is public.
    """
    expires = (int(time.time()) // VALID + 2) * VALID
    signature = _signer.signature(_signed(path, str(expires)))
    address = reverse("media", args=[path])
    return f"{address}?{urlencode({'expires': expires, 'signature': signature})}"


def is_signed(path: str, *, expires: str, signature: str) -> bool:
    """Tell whether this is a URL that we signed and that hasn't expired."""
    try:
        _signer.unsign(f"{_signed(path, expires)}:{signature}")
    except BadSignature:
        return False
    return time.time() < int(expires)


def address_of(rendition: Rendition) -> str:
    """Return the URL of a rendition: signed if it is private."""
    path = rendition.file.name or ""
    return signed_url(path) if path.startswith(ROOT) else rendition.file.url


def _signed(path: str, expires: str) -> str:
    return f"{expires}:{path}"

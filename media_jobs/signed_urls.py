"""Private files: what shoppers handed in, and what was made of it.

They lie below `private/` and are read by signed addresses only, which end by themselves. Who may
see a page with such an address is the page's business.
"""

import time
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from media_jobs.models import Rendition

ROOT = "private/"
VALID = 3600
"""Seconds that an address is good for at least; at most twice as many."""

_signer = Signer(salt="media_jobs.private")


def signed_url(path: str) -> str:
    """Return an address of the file. Within an hour it is the same, so that browsers may keep it.

    Of our own, whatever the storage: the file comes with our headers, and no bucket is open.
    """
    expires = (int(time.time()) // VALID + 2) * VALID
    signature = _signer.signature(_signed(path, str(expires)))
    address = reverse("media", args=[path])
    return f"{address}?{urlencode({'expires': expires, 'signature': signature})}"


def is_signed(path: str, *, expires: str, signature: str) -> bool:
    """Whether this is an address that we gave away, and it hasn't ended."""
    try:
        _signer.unsign(f"{_signed(path, expires)}:{signature}")
    except BadSignature:
        return False
    return time.time() < int(expires)


def address_of(rendition: Rendition) -> str:
    """Return where a rendition is read: signed if it is a private one."""
    path = rendition.file.name or ""
    return signed_url(path) if path.startswith(ROOT) else rendition.file.url


def _signed(path: str, expires: str) -> str:
    return f"{expires}:{path}"

"""The signature of receipts: it proves a shared secret, and that the request is recent.

    Receipt-Timestamp: 1795500000                      seconds since 1970
    Receipt-Signature: sha256=HEX                      HMAC-SHA256 of "1795500000." + body

The time is signed with the body: a recorded request can't be replayed after five minutes.
"""

import hmac
import time

TOLERANCE = 300
"""Seconds that the sender's clock may differ from ours."""
SCHEME = "sha256="


def sign(body: bytes, *, secret: str, timestamp: int) -> str:
    """Return the value of Receipt-Signature."""
    signed = b"%d." % timestamp + body
    return SCHEME + hmac.new(secret.encode(), signed, "sha256").hexdigest()


def is_signed(body: bytes, *, secret: str, timestamp: str, signature: str) -> bool:
    """Tell whether the signature is right and recent."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    right = sign(body, secret=secret, timestamp=int(timestamp))
    # In constant time, before the clock is checked: the duration must not depend on a guess.
    same = hmac.compare_digest(right.encode(), signature.encode(errors="replace"))
    return same and abs(time.time() - int(timestamp)) <= TOLERANCE

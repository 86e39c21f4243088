"""Whether a receipt comes from who shares a secret with us, and comes now.

    Receipt-Timestamp: 1795500000                      seconds since 1970
    Receipt-Signature: sha256=HEX                      HMAC-SHA256 of "1795500000." + body

The time is signed with the body: what somebody recorded is worth nothing after five minutes.
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
    """Whether the signature is right and its time is now."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    right = sign(body, secret=secret, timestamp=int(timestamp))
    # The whole comparison first: how long it takes must not depend on what was guessed.
    same = hmac.compare_digest(right.encode(), signature.encode(errors="replace"))
    return same and abs(time.time() - int(timestamp)) <= TOLERANCE

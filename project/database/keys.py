"""Keys of rows that sort by the time of their making: UUIDv7 (RFC 9562).

New rows then touch the last page of their key's index. Random keys touch a page each: after a
checkpoint that page is written to the WAL as a whole, and a large index doesn't fit into memory.
See docs/keys-and-wal.md.

A key tells when it was made, so it is no secret: what must not be guessed (an upload's token, a
claim's token, a link) stays random.
"""

import os
import sys
import time
import uuid

_VERSION_AND_VARIANT = 7 << 76 | 0b10 << 62
_RANDOM = (1 << 80) - 1 & ~(0xF << 76 | 0b11 << 62)
"""The 74 bits that aren't time, version or variant."""


def time_ordered_key() -> uuid.UUID:
    """Return a new key: 48 bits of Unix time in milliseconds, and 74 random bits."""
    if sys.version_info >= (3, 14):
        return uuid.uuid7()
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10)) & _RANDOM
    return uuid.UUID(int=milliseconds << 80 | _VERSION_AND_VARIANT | chance)

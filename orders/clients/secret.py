"""The text of a key: how it is made, recognised and digested.

    tdm_8Kq2ZxTa_h3V…  (54 characters)
    │   │        └ 32 random characters, then 6 of a checksum
    │   └ 8 random characters: the row is found by them, and people name the key by them
    └ the shop's mark, by which scanners find a key in code and logs

A key has 190 random bits, so no dictionary has it and its digest can't be turned back by trying:
one SHA-256 is right, and costs a request a microsecond. Slow digests such as Argon2 are for
passwords, which people choose. The checksum tells a mistyped or made-up key without a query.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from string import ascii_letters, digits

MARK = "tdm"
_LETTERS = digits + ascii_letters
_PUBLIC, _RANDOM, _CHECK = 8, 32, 6
PATTERN = rf"{MARK}_[0-9A-Za-z]{{{_PUBLIC}}}_[0-9A-Za-z]{{{_RANDOM + _CHECK}}}"
"""For scanners of secrets."""
_KEY = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True)
class Secret:
    """A key as its client sends it. Only `prefix` and `digest` are ever stored."""

    text: str

    @property
    def prefix(self) -> str:
        return self.text[: len(MARK) + 1 + _PUBLIC]

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()

    def __repr__(self) -> str:
        return f"Secret({self.prefix}…)"  # a traceback or log shows no key


def new_secret() -> Secret:
    public = "".join(secrets.choice(_LETTERS) for _place in range(_PUBLIC))
    hidden = "".join(secrets.choice(_LETTERS) for _place in range(_RANDOM))
    text = f"{MARK}_{public}_{hidden}"
    return Secret(text + _checksum(text))


def read_secret(text: str) -> Secret | None:
    """Return the key, or None if no shop ever made such a one."""
    if not _KEY.fullmatch(text) or _checksum(text[:-_CHECK]) != text[-_CHECK:]:
        return None
    return Secret(text)


def _checksum(text: str) -> str:
    """Return CRC-32 of the text in base 62, in six characters."""
    number, found = zlib.crc32(text.encode()), ""
    for _place in range(_CHECK):
        number, place = divmod(number, len(_LETTERS))
        found = _LETTERS[place] + found
    return found

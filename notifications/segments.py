"""The number of SMS segments of a text: each is transmitted, and charged, on its own.

3GPP TS 23.038: a text is sent in the GSM 7 bit default alphabet (6.2.1 and its extension table)
if that has all its characters, else in UCS-2. A message has 140 bytes; as part of a longer text
(TS 23.040, 9.2.3.24.1) it loses six of them to the header that puts the parts together.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

GSM_7, UCS_2 = "GSM-7", "UCS-2"
ALONE = {GSM_7: 160, UCS_2: 70}
"""Units of a text with one segment."""
PART = {GSM_7: 153, UCS_2: 67}
"""Units of each segment of a longer one."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""Two units each: an escape comes before them."""


@dataclass(frozen=True)
class Segments:
    """The encoding and size of a text. A unit is a septet of GSM-7 or 16 bits of UCS-2."""

    encoding: str
    units: int
    segments: int


def count_segments(text: str) -> Segments:
    """Return the text's encoding and number of segments; an empty one is one segment."""
    encoding = GSM_7 if BASIC.union(EXTENSION).issuperset(text) else UCS_2
    sizes = list(_sizes(text, encoding))
    units = sum(sizes)
    if units <= ALONE[encoding]:
        return Segments(encoding, units, 1)
    segments, left = 1, PART[encoding]
    for size in sizes:
        if size > left:  # an escape or a surrogate stays with its character
            segments, left = segments + 1, PART[encoding]
        left -= size
    return Segments(encoding, units, segments)


def _sizes(text: str, encoding: str) -> Iterator[int]:
    """The units of each character."""
    for character in text:
        is_pair = character in EXTENSION if encoding == GSM_7 else ord(character) > 0xFFFF
        yield 2 if is_pair else 1


def shorten(text: str, longest: int) -> str:
    """Return the text in at most so many units of UCS-2, its end cut off for two dots.

    Not for an ellipsis, which the default alphabet lacks. Combined characters aren't cut in the
    middle.
    """
    sizes = list(_sizes(text, UCS_2))
    if sum(sizes) <= longest:
        return text
    end, left = 0, longest - 2
    while sizes[end] <= left:
        end, left = end + 1, left - sizes[end]
    while end and (_joins(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end].rstrip() + ".."


_JOINER = "\u200d"


def _joins(character: str) -> bool:
    """Tell whether it belongs to the character before it: accents, variants, joined emoji."""
    return character == _JOINER or unicodedata.category(character) in ("Mn", "Me", "Mc")

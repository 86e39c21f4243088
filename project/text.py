"""Texts for people: what is removed from them, and names that stand by themselves in them."""

import re
import unicodedata
from typing import Any

DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates, which reorder the text around them (Unicode's UAX #9)."""

MAX_ERROR = 2000
"""Characters that a row keeps of an error: what an operator reads, not a dump."""

_UNFIT = re.compile(
    # Controls (PostgreSQL refuses NUL, terminals obey others), halves of surrogate pairs (JSON can
    # say them, UTF-8 can't), and what is no character.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\ud800-\udfff\ufffe\uffff" + "".join(sorted(DIRECTION_MARKS)) + "]"
)


def isolate(text: str) -> str:
    """Return the text between U+2068 and U+2069 if any of it runs from right to left.

    For titles and sentences; where an element can be, it is `<bdi>`. Other texts stay as they are.
    """
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return f"\u2068{text}\u2069"
    return text


def clean(text: str, *, longest: int = MAX_ERROR) -> str:
    """Return a text from outside in a form that a row can store and a page can show.

    Without what no text has (control characters but line feed and tab, halves of surrogate pairs)
    and without direction marks. At most `longest` characters are kept.
    """
    lines = text[: 8 * longest].replace("\r\n", "\n").replace("\r", "\n")
    return _UNFIT.sub("", lines)[:longest]


def clean_json(value: Any) -> Any:
    """Return a JSON value whose texts are clean; none of them is cut."""
    if isinstance(value, str):
        return clean(value, longest=len(value))
    if isinstance(value, dict):
        return {clean_json(name): clean_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return value

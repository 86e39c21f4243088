"""Reads a gateway's answer so that a row can store it: ids, words, JSON.

A gateway's answer may be any text. It is read by these functions only, so that an answer can
never break the record of it.
"""

import json
from typing import Any

from project.text import clean

MAX_WORDS = 500
"""Characters that are kept of an answer."""
MAX_ID = 200
"""Characters that are kept of an id: `Notification.provider_id` has no more."""


def read_json(body: bytes | str) -> Any:
    """Return the body's JSON; None if it has none, or one that is nested too deep to be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def field(answer: Any, name: str) -> str:
    """Return the text, or number, that an answer has under the name; "" if it has none."""
    value = answer.get(name) if isinstance(answer, dict) else None
    return as_text(value) if isinstance(value, str | int | float) else ""


def as_text(value: str | float | bool | None) -> str:
    """Return a value of JSON as JSON writes it, a text without its quotation marks."""
    return value if isinstance(value, str) else json.dumps(value)


def kept_words(words: str) -> str:
    """Return the words as rows and logs keep them."""
    return clean(words, longest=MAX_WORDS)


def kept_id(provider_id: str) -> str:
    """Return the id as it is kept, and looked up when a receipt names it."""
    return clean(provider_id, longest=MAX_ID)

"""The report that a format's module reads from a receipt."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from notifications.channels.answer import as_text, kept_id, kept_words
from notifications.models import Notification


class MalformedError(Exception):
    """The receipt doesn't match its format; the message names the field."""


@dataclass(frozen=True)
class Report:
    """One receipt about one message, by our id or the provider's."""

    delivery: Notification.Delivery | None
    """None for events that aren't stored, such as "opened" or "queued"."""
    reason: str = ""
    message_id: UUID | None = None
    provider_id: str = ""


def named_id(body: dict[str, Any], *, required: bool) -> str:
    """Return the provider's id of a message, as it was kept when the message was accepted.

    A provider that answers with a number reports with a number. Raises MalformedError.
    """
    value = body.get("id", "")
    if isinstance(value, int) and not isinstance(value, bool):
        return kept_id(as_text(value))
    if not isinstance(value, str) or (required and not value.strip()):
        raise MalformedError("id: a text is needed")
    return kept_id(value)


def said(body: dict[str, Any], name: str) -> str:
    """Return the provider's own words, cleaned; "" if there are none.

    Raises MalformedError if they aren't a text.
    """
    value = body.get(name, "")
    if not isinstance(value, str):
        raise MalformedError(f"{name}: a text is needed")
    return kept_words(value.strip())


def text(body: dict[str, Any], name: str, *, required: bool = True) -> str:
    """Return the field. Raises MalformedError if it isn't a text, or missing."""
    value = body.get(name, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise MalformedError(f"{name}: a text is needed")
    if "\x00" in value or _has_surrogates(value):
        raise MalformedError(f"{name}: it has invalid characters")
    return value.strip()


def _has_surrogates(value: str) -> bool:
    """Tell whether it has half of a surrogate pair, which JSON allows and UTF-8 doesn't."""
    return any("\ud800" <= character <= "\udfff" for character in value)

"""Notes about an order, which operators write for their colleagues."""

import unicodedata
from uuid import UUID

from django.utils.translation import gettext as _

from orders.lifecycle.errors import InvalidTransition
from orders.lifecycle.steps import read
from orders.models import OrderNote, User

MAX_LENGTH = 2000


def add_note(*, order_id: UUID, note_id: UUID, text: str, user: User | None) -> OrderNote:
    """Add a note to the order. `note_id` is the caller's idempotency key: a repeat adds nothing.

    It is allowed in every status. Raises UnknownOrder, or InvalidTransition for an empty text.
    """
    order = read(order_id)
    text = _clean(text)
    note, _is_new = OrderNote.objects.get_or_create(
        id=note_id, defaults={"order": order, "text": text, "user": user}
    )
    return note


def _clean(text: str) -> str:
    """Return the text with its lines, without control characters. Raises InvalidTransition."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        character
        for character in lines
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    ).strip()
    if not any(unicodedata.category(character)[0] not in "CZ" for character in kept):
        raise InvalidTransition(_("Write the note first."))
    if len(kept) > MAX_LENGTH:
        raise InvalidTransition(_("Use at most %(count)d characters.") % {"count": MAX_LENGTH})
    return kept

"""The plan of one row: what an import changes of its product, and what the report says of it."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from orders.imports.pictures import Picture
from orders.imports.report import Outcome
from orders.imports.rows import PictureCell, Row, Texts
from orders.models import Product, ProductMedia
from orders.models.translated import Translated, with_text

SHOWN = 40
"""The number of characters of a value that the report shows."""

Pictures = list[tuple[Picture, PictureCell]]
"""A row's pictures, each with its texts."""


@dataclass
class Plan:
    """The changes of one product by one row."""

    row: Row
    product: Product | None
    """None for a new product."""
    parent: Product | None = None
    """Of a new variant. In a dry run it may not exist yet."""
    values: dict[str, Any] = field(default_factory=dict)
    """Field → new value, without the category."""
    category: str = ""
    """The name of the new category; empty: unchanged."""
    category_texts: Texts | None = None
    """All translations of the row's category, if one of them changes."""
    added: Pictures = field(default_factory=list)
    alts: list[tuple[ProductMedia, dict[str, Any]]] = field(default_factory=list)
    """Media whose texts change, with the new values."""
    notes: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        if self.product is None:
            return Outcome.CREATED
        if self.values or self.category or self.category_texts is not None:
            return Outcome.CHANGED
        return Outcome.CHANGED if self.added or self.alts else Outcome.UNCHANGED

    def change(self, column: str, name: str, now: object, value: object) -> None:
        """Plan the field's new value, with a note, if there is one and it differs."""
        if value is None or value == now:
            return
        self.values[name] = value
        self.notes.append(f"{column}: {shown(now)} → {shown(value)}")


def changed_texts(
    row: Translated | None, texts: Texts, notes: list[str], *, column: str = ""
) -> Texts | None:
    """Return all translations of the row with these; None if none changes.

    `column` is the table's, if it isn't named as the text is.
    """
    known: Texts = row.texts if row else {}
    wanted = known
    for code, changes in texts.items():
        for name, text in changes.items():
            now = known.get(code, {}).get(name)
            if text != (now or ""):
                wanted = with_text(wanted, code, **{name: text})
                if row is not None:
                    notes.append(f"{column or name} {code}: {shown(now or '')} → {shown(text)}")
    return None if wanted == known else wanted


def shown(value: object) -> str:
    """Return a value as the report shows it."""
    if value is None:
        return _("nothing")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = " | ".join(map(str, value))
    text = Truncator(" ".join(str(value).split())).chars(SHOWN)
    return f"“{text}”" if isinstance(value, str) else text

"""Rows of the catalogue whose texts exist in several languages.

A row's own columns are in the shop's own language (`LANGUAGE_CODE`); `texts` has the others. It is
read with the row, so a list in another language takes no query more: docs/variants.md.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Translated(models.Model):
    """A row with translated texts. Where one is missing, the row's own text stands for it."""

    texts = models.JSONField(
        _("translations"),
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        editable=False,
    )
    """Language → column → its text: `{"zh-hans": {"name": "…"}}`. Empty texts are left out."""

    class Meta:
        abstract = True

    def text(self, column: str, language: str | None = None) -> Any:
        """Return the column in the language, by default the reader's, else in the shop's own."""
        return self.translated(column, language or get_language()) or getattr(self, column)

    def translated(self, column: str, language: str | None) -> Any:
        """Return the column's translation; None without one, or if a list has another length."""
        text = self.texts.get(language, {}).get(column) or None
        if isinstance(text, list) and len(text) != len(getattr(self, column)):
            return None
        return text

    def foreign_language(self, column: str) -> str:
        """Return the text's language if it isn't the reader's, for `lang`; else nothing."""
        language = get_language() or settings.LANGUAGE_CODE
        own: str = settings.LANGUAGE_CODE
        is_there = language == own or self.translated(column, language) or not getattr(self, column)
        return "" if is_there else own


def other_languages() -> list[tuple[str, str]]:
    """Return code and name of each language of the shop but its own."""
    own = settings.LANGUAGE_CODE
    return [(code, name) for code, name in settings.LANGUAGES if code != own]


def with_text(
    texts: dict[str, dict[str, Any]], language: str, **changes: Any
) -> dict[str, dict[str, Any]]:
    """Return the translations with these columns of a language changed; an empty one goes."""
    changed = {name: text for name, text in (texts.get(language, {}) | changes).items() if text}
    others = {code: known for code, known in texts.items() if code != language}
    return others | ({language: changed} if changed else {})

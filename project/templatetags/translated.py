"""`{{ product|named:"name" }}`: a text of the catalogue, with `lang` where it isn't translated.

A screen reader then pronounces it in its own language. The rows are `orders.models.translated`.
"""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def named(row: Any, column: str) -> SafeString:
    """Return the row's text as a `<bdi>`."""
    return format_html("<bdi{}>{}</bdi>", lang_of(row, column), row.text(column))


@register.filter
def lang_of(row: Any, column: str) -> SafeString:
    """Return the attribute `lang` of the row's text; empty if it is in the reader's language."""
    language = row.foreign_language(column)
    return format_html(' lang="{}"', language) if language else SafeString("")


@register.filter
def said(row: Any, column: str) -> str:
    """Return the row's text alone, for an attribute or a sentence."""
    return str(row.text(column))

"""The texts of demo messages: the real templates, rendered once per shape with marks for values.

A template takes some milliseconds, and a million orders have millions of messages. Messages whose
contexts have the same shape (the same keys, as many lines, the same values empty or one) differ
in their values only, so `%` puts these into a text that was rendered once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.html import escape
from django.utils.translation import override

from notifications.models import Notification
from notifications.rendering import Wording, render
from project.templatetags.money import money

AMOUNTS = {"items_total", "delivery_total", "total", "unit_price", "amount", "given_back"}
"""The keys whose values the templates show as money."""
_FIRST_MARK = 7_000_000_001
"""An amount in the pattern's place of another one."""

Values = dict[str, str]


@dataclass(frozen=True)
class Shown:
    """A context's values as text and as HTML, by their paths, as the patterns name them."""

    plain: Values
    html: Values


def values_of(context: dict[str, Any], *, language: str, currency: str) -> Shown:
    """Return the values of a context, or of a part of one."""
    plain, html = {}, {}
    for path, key, value in _leaves(context):
        if key in AMOUNTS and value:
            plain[path] = html[path] = _money(value, currency, language)
        elif type(value) is str:
            plain[path], html[path] = value, _escaped(value)
        else:
            plain[path] = html[path] = str(value)
    return Shown(plain, html)


@lru_cache(maxsize=10_000)
def _escaped(text: str) -> str:
    return escape(text)


def _money(amount: str, currency: str, language: str) -> str:
    """Return what `money` does, without asking for the language's format each time."""
    sign = _sign_before(currency, language)
    if sign is None:
        with override(language):
            return money(amount, currency)
    return f"{sign}{Decimal(amount):,.2f}"


@lru_cache
def _sign_before(currency: str, language: str) -> str | None:
    """Return what stands before an amount; None if amounts aren't written as 1,234.50."""
    with override(language):
        sign, number, rest = money("1234567.89", currency).partition("1,234,567.89")
    return sign if number and not rest else None


class Patterns:
    """The patterns that were rendered so far."""

    def __init__(self) -> None:
        self._known: dict[Any, Wording] = {}

    def word(
        self,
        *,
        shape: Any,
        event: str,
        channel: str,
        language: str,
        context: dict[str, Any],
        shown: Shown,
        ones_differ: bool,
        with_html: bool,
    ) -> Wording:
        """Return the message's text. `shape` must tell contexts of different shapes apart."""
        key = (event, channel, language, shape)
        pattern = self._known.get(key)
        if pattern is None:
            pattern = self._known[key] = _pattern(event, channel, language, context, ones_differ)
        plain, html = shown.plain, shown.html
        return Wording(
            text=_filled(pattern.text, plain, one_line=channel == "sms"),
            subject=_filled(pattern.subject, plain, one_line=True),
            html=pattern.html % html if pattern.html and with_html else "",
        )


def _filled(pattern: str, values: Values, *, one_line: bool) -> str:
    text = pattern % values
    return " ".join(text.split()) if one_line else text


def _leaves(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name, name)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{position}", key)
    else:
        yield path, key, value


def _pattern(
    event: str, channel: str, language: str, context: dict[str, Any], ones_differ: bool
) -> Wording:
    marks: dict[str, str] = {}
    marked = _marked(context, "", "", marks, ones_differ)
    wording = render(Notification(event=event, channel=channel, language=language, context=marked))
    shown = {}
    for mark, path in marks.items():
        if mark.startswith("⟦"):
            shown[mark] = path
        else:
            with override(language):
                amount = money(mark, context["currency"])
            shown[amount] = shown[" ".join(amount.split())] = path
    return Wording(
        *(_unmarked(part, shown) for part in (wording.text, wording.subject, wording.html))
    )


def _unmarked(text: str, shown: dict[str, str]) -> str:
    text = text.replace("%", "%%")
    for mark, path in shown.items():
        text = text.replace(mark, f"%({path})s")
    return text


def _marked(value: Any, path: str, key: str, marks: dict[str, str], ones_differ: bool) -> Any:
    """Return the value with marks for what may differ, and note which mark is at which path."""
    if isinstance(value, dict):
        return {
            name: _marked(inner, f"{path}.{name}" if path else name, name, marks, ones_differ)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _marked(inner, f"{path}.{position}", key, marks, ones_differ)
            for position, inner in enumerate(value)
        ]
    is_asked = value == 1 and ones_differ
    if isinstance(value, bool) or not value or is_asked or key in ("language", "currency"):
        return value
    mark = f"{Decimal(_FIRST_MARK) + len(marks)}.01" if key in AMOUNTS else f"⟦{path}⟧"
    marks[mark] = path
    return mark

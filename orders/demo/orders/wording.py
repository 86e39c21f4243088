"""The texts of demo messages: the real templates, rendered once per shape with marks for values.

A template takes some milliseconds, and a million orders have millions of messages. Messages whose
contexts have the same shape (the same keys, as many lines, the same values empty or one) differ
in their values only, so `%` puts these into a text that was rendered once.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import override

from notifications.models import Notification
from notifications.rendering import Wording, render
from project.templatetags.money import money
from project.templatetags.reader_times import hours_later, reader_time

AMOUNTS = {"items_total", "delivery_total", "total", "unit_price", "amount", "given_back", "due"}
"""The keys whose values the templates show as money."""
MOMENT = "placed_at"
"""The key whose value the templates show as the last time to pay."""
_MOMENT_MARK = "2001-02-03T04:05:06+00:00"
_FIRST_MARK = 7_000_000_001
"""An amount in the pattern's place of another one."""

Path = tuple[str | int, ...]
"""The keys that lead to a value of a context."""


@lru_cache(maxsize=10_000)
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


@dataclass(frozen=True)
class _Pattern:
    """A text with `%s` for the values of these paths."""

    text: str
    paths: tuple[Path, ...]

    def fill(self, context: dict[str, Any], language: str, *, in_html: bool = False) -> str:
        values = []
        for path in self.paths:
            value: Any = context
            for key in path:
                value = value[key]
            if path[-1] == MOMENT:
                value = _due_by(value, context, language)
            elif path[-1] in AMOUNTS:
                value = _money(value, context["currency"], language)
            elif in_html:
                value = escape(str(value))
            values.append(value)
        return self.text % tuple(values)


@dataclass(frozen=True)
class _Patterns:
    """The parts of a message."""

    text: _Pattern
    subject: _Pattern
    html: _Pattern


class Templates:
    """The patterns that were rendered so far."""

    def __init__(self) -> None:
        self._known: dict[Any, _Patterns] = {}

    def word(
        self,
        *,
        shape: Any,
        event: str,
        channel: str,
        language: str,
        context: dict[str, Any],
        ones_differ: bool,
        with_html: bool,
    ) -> Wording:
        """Return the message's text. `shape` must tell contexts of different shapes apart."""
        key = (event, channel, language, shape)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _rendered(event, channel, language, context, ones_differ)
        text = known.text.fill(context, language)
        return Wording(
            text=" ".join(text.split()) if channel == "sms" else text,
            subject=" ".join(known.subject.fill(context, language).split()),
            html=known.html.fill(context, language, in_html=True) if with_html else "",
        )


def _rendered(
    event: str, channel: str, language: str, context: dict[str, Any], ones_differ: bool
) -> _Patterns:
    marks: dict[str, Path] = {}
    marked = _marked(context, (), marks, ones_differ)
    wording = render(Notification(event=event, channel=channel, language=language, context=marked))
    shown: dict[str, Path] = {}
    for mark, path in marks.items():
        if path[-1] in AMOUNTS:
            with override(language):
                amount = money(mark, context["currency"])
            shown[amount] = shown[" ".join(amount.split())] = path
        elif path[-1] == MOMENT:
            shown[_due_by(mark, context, language)] = path
        else:
            shown[mark] = path
    return _Patterns(
        *(_pattern(part, shown) for part in (wording.text, wording.subject, wording.html))
    )


def _due_by(placed_at: str, context: dict[str, Any], language: str) -> str:
    """Return the last time to pay as the templates write it; the moment itself if there is none."""
    hours = context.get("payment", {}).get("hours")
    if hours is None:
        return placed_at
    with override(language):
        return reader_time(localtime(hours_later(placed_at, hours)))


def _pattern(text: str, shown: dict[str, Path]) -> _Pattern:
    """Return the pattern of a text with marks."""
    found = re.split(f"({'|'.join(map(re.escape, shown))})", text)
    return _Pattern(
        "%s".join(part.replace("%", "%%") for part in found[::2]),
        tuple(shown[mark] for mark in found[1::2]),
    )


def _marked(value: Any, path: Path, marks: dict[str, Path], ones_differ: bool) -> Any:
    """Return the value with marks for what may differ, and note which mark is at which path."""
    if isinstance(value, dict):
        return {
            name: _marked(inner, (*path, name), marks, ones_differ) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _marked(inner, (*path, position), marks, ones_differ)
            for position, inner in enumerate(value)
        ]
    # Templates ask for the way to pay; it is the same for all orders, but for the amount.
    if path[0] == "payment" and path[-1] != "due":
        return value
    is_asked = value == 1 and ones_differ
    if isinstance(value, bool) or not value or is_asked or path[-1] in ("language", "currency"):
        return value
    if path[-1] == MOMENT:
        mark = _MOMENT_MARK
    elif path[-1] in AMOUNTS:
        mark = f"{Decimal(_FIRST_MARK) + len(marks)}.01"
    else:
        mark = f"⟦{'.'.join(map(str, path))}⟧"
    marks[mark] = path
    return mark

"""The texts of demo messages: the real templates, rendered once per shape with marks for values.

A template takes some milliseconds, and a million orders have millions of messages. Messages whose
contexts have the same shape (the same keys, as many lines, the same values empty or one) differ
in their values only, so `%` puts these into a text that was rendered once.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from operator import itemgetter
from typing import Any

from django.utils.translation import override

from notifications.models import Notification
from notifications.rendering import Wording, render
from orders.demo.orders.shown import AMOUNTS, MOMENT, Path, Shown, due_by
from project.templatetags.money import money

UNMARKED = ("language", "currency", "shop_name")
"""The keys whose values are the same in all messages of a language."""
_MOMENT_MARK = "2001-02-03T04:05:06+00:00"
_FIRST_MARK = 7_000_000_001
"""An amount in the pattern's place of another one."""


@dataclass(frozen=True)
class _Pattern:
    """A text with `%s` for some of the values."""

    text: str
    chosen: Callable[[Sequence[str]], Any]
    """Returns them: a tuple, or the only one."""

    def fill(self, values: Sequence[str]) -> str:
        return self.text % self.chosen(values)


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
        context: str,
        shown: Shown,
        ones_differ: bool,
        with_html: bool,
    ) -> Wording:
        """Return the message's text. `context` is JSON.

        `shape` must tell contexts of different shapes apart.
        """
        key = (event, channel, language, shape)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _rendered(
                event, channel, language, json.loads(context), shown.paths(), ones_differ
            )
        values = shown.values(language)
        text = known.text.fill(values)
        return Wording(
            text=" ".join(text.split()) if channel == "sms" else text,
            subject=" ".join(known.subject.fill(values).split()),
            html=known.html.fill([*map(escape, values)]) if with_html else "",
        )


def _rendered(
    event: str,
    channel: str,
    language: str,
    context: dict[str, Any],
    paths: list[Path],
    ones_differ: bool,
) -> _Patterns:
    marks: dict[str, Path] = {}
    marked = _marked(context, (), marks, ones_differ)
    wording = render(Notification(event=event, channel=channel, language=language, context=marked))
    places: dict[str, int] = {}
    for mark, path in marks.items():
        place = paths.index(path)
        if path[-1] in AMOUNTS:
            with override(language):
                amount = money(mark, context["currency"])
            places[amount] = places[" ".join(amount.split())] = place
        elif path[-1] == MOMENT:
            hours = context.get("payment", {}).get("hours")
            places[due_by(mark, hours, language)] = place
        else:
            places[mark] = place
    return _Patterns(
        *(_pattern(part, places) for part in (wording.text, wording.subject, wording.html))
    )


def _pattern(text: str, places: dict[str, int]) -> _Pattern:
    """Return the pattern of a text with marks, each with the place of its value."""
    found = re.split(f"({'|'.join(map(re.escape, places))})", text)
    chosen = [places[mark] for mark in found[1::2]]
    return _Pattern(
        "%s".join(part.replace("%", "%%") for part in found[::2]),
        itemgetter(*chosen) if chosen else lambda _values: (),
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
    if isinstance(value, bool) or not value or is_asked or path[-1] in UNMARKED:
        return value
    if path[-1] == MOMENT:
        mark = _MOMENT_MARK
    elif path[-1] in AMOUNTS:
        mark = f"{Decimal(_FIRST_MARK) + len(marks)}.01"
    else:
        mark = f"⟦{'.'.join(map(str, path))}⟧"
    marks[mark] = path
    return mark

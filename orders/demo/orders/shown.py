"""What messages show of an order: the values of their contexts, as people read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import override

from orders.demo.orders.life import Life, Line
from project.templatetags.money import money
from project.templatetags.reader_times import hours_later, reader_time

AMOUNTS = {"items_total", "delivery_total", "total", "unit_price", "amount", "given_back", "due"}
"""The keys whose values the templates show as money."""
MOMENT = "placed_at"
"""The key whose value the templates show as the last time to pay."""

Path = tuple[str | int, ...]
"""The keys that lead to a value of a context."""

_OF_ORDER: tuple[Path, ...] = (
    *(("number",), ("name",), ("items_total",), ("delivery_total",), ("delivery_label",)),
    *(("total",), ("payment", "due"), ("status_url",), ("mail_mark",), (MOMENT,)),
)
_OF_LINE = ("sku", "name", "quantity", "unit_price", "total")
_OF_ITEM = ("sku", "name", "quantity")


@dataclass(slots=True)
class Shown:
    """The values that a message's templates show, in an order that depends on its shape only."""

    currency: str
    more: Mapping[str, Any]
    """What the message's context has besides its order's."""
    of_order: Sequence[str] = ()
    """The values of its order's (`shown_of_order`), if it has that."""

    def values(self, language: str) -> list[str]:
        """Return the values as text in that language."""
        if not self.more:
            return [*self.of_order]
        added = [
            shown_money(value, self.currency, language)
            if value and path[-1] in AMOUNTS
            else str(value)
            for path, value in self._added()
        ]
        return [*added, *self.of_order]

    def paths(self) -> list[Path]:
        """Return the paths of the values in the message's context."""
        added = [path for path, _value in self._added()]
        if not self.of_order:
            return added
        lines = (len(self.of_order) - len(_OF_ORDER)) // len(_OF_LINE)
        of_lines = [("lines", number, name) for number in range(lines) for name in _OF_LINE]
        return [*added, *_OF_ORDER, *of_lines]

    def _added(self) -> Iterator[tuple[Path, Any]]:
        for key, value in self.more.items():
            if key == "items":
                for number, item in enumerate(value):
                    yield from (((key, number, name), item[name]) for name in _OF_ITEM)
            else:
                yield (key,), value


def shown_of_order(life: Life, *, hours: int | None) -> list[str]:
    """Return what messages show of the order, which has its number.

    It is to be paid within so many hours; None: at any time.
    """
    order = life.order
    currency, language = order.currency, order.language
    total = shown_money(str(order.total), currency, language)
    values = [
        order.display_number,
        order.name,
        shown_money(str(order.items_total), currency, language),
        shown_money(str(order.delivery_total), currency, language),
        order.delivery.get("label", ""),
        *(total, total, life.status_url, life.mail_mark),
        due_by(order.placed_at.isoformat(), hours, language),
    ]
    for line in life.lines:
        values += _shown_line(line, currency, language)
    return values


def _shown_line(line: Line, currency: str, language: str) -> tuple[str, ...]:
    known = line.goods.shown
    key = (line.quantity, language)
    if key not in known:
        known[key] = (
            *(line.sku, line.name, str(line.quantity)),
            shown_money(str(line.unit_price), currency, language),
            shown_money(str(line.total), currency, language),
        )
    return known[key]


@lru_cache(maxsize=10_000)
def shown_money(amount: str, currency: str, language: str) -> str:
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


def due_by(placed_at: str, hours: int | None, language: str) -> str:
    """Return the last time to pay as the templates write it; the moment itself if there is none."""
    if hours is None:
        return placed_at
    with override(language):
        return reader_time(localtime(hours_later(placed_at, hours)))

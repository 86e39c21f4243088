"""Pages by key: a page begins behind the product that ended the last one, and reads none before.

A cursor is the place between two products: the values that the order has there. It is signed, so
only our own values come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.signing import BadSignature, Signer
from django.db.models import BooleanField, F, Func, IntegerField, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThan, LessThan

from orders.catalogue.search.filters import KEYS, Sort, ordering
from orders.models import Product

MAX_CURSOR_LENGTH = 2000
_SIGNER = Signer(salt="orders.catalogue.search.pages")


class InvalidCursorError(ValueError):
    """The cursor is none of ours, or of a list in another order."""


@dataclass(frozen=True)
class Cursor:
    """The place beside a product, of a list in this order."""

    order: str
    key: tuple[Any, ...]
    is_before: bool = False
    """The page ends here, and does not begin."""

    def __str__(self) -> str:
        key = [_plain(value) for value in self.key]
        return _SIGNER.sign_object([self.order, int(self.is_before), *key])


@dataclass(frozen=True)
class KeyPage:
    """The ids of a page's products in their order, and the cursors of the pages beside it."""

    ids: list[int]
    previous: str = ""
    next: str = ""


def read_cursor(text: str, *, order: str) -> Cursor | None:
    """Return the cursor of an address; None if it has none. Raises InvalidCursorError."""
    if not text:
        return None
    try:
        found, is_before, *key = _SIGNER.unsign_object(text[:MAX_CURSOR_LENGTH])
    except (BadSignature, ValueError, TypeError) as error:
        raise InvalidCursorError("no cursor of this shop") from error
    if found != order or len(key) != len(KEYS[order]):
        raise InvalidCursorError("a cursor of a list in another order")
    return Cursor(order, tuple(key), is_before=bool(is_before))


def read_page(
    products: QuerySet[Product],
    *,
    order: str,
    size: int,
    cursor: Cursor | None = None,
    first: int = 0,
) -> KeyPage:
    """Return the page that the cursor says; without one that after the `first` products."""
    rows = _rows(products, order=order, size=size, cursor=cursor, first=first)
    return key_page(rows, order=order, size=size, cursor=cursor, first=first)


def read_counted_page(
    products: QuerySet[Product],
    *,
    order: str,
    size: int,
    cursor: Cursor | None = None,
    first: int = 0,
) -> tuple[int, KeyPage]:
    """Return how many products there are, and the page: in one query, but for an empty page."""
    try:
        sql, params = products.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0, KeyPage([])
    count = RawSQL(f"SELECT count(*) FROM ({sql}) AS found", params, IntegerField())
    rows = _rows(products, count, order=order, size=size, cursor=cursor, first=first)
    if not rows:
        return products.count(), KeyPage([])
    keys = [row[:-1] for row in rows]
    return rows[0][-1], key_page(keys, order=order, size=size, cursor=cursor, first=first)


def _rows(
    products: QuerySet[Product],
    *more: Any,
    order: str,
    size: int,
    cursor: Cursor | None,
    first: int,
) -> list[tuple[Any, ...]]:
    """Return an id, its key, and the values of `more` each; one row more than the size."""
    backwards = cursor is not None and cursor.is_before
    if cursor is not None:
        products = products.filter(_beyond(cursor))
    if order == Sort.BEST:
        products = products.filter(popularity__units__isnull=False)  # an inner join: its index
    names = [name.lstrip("-") for name in KEYS[order]]
    found = products.order_by(*ordering(order, backwards=backwards))
    return list(found.values_list("pk", *names, *more)[first : first + size + 1])


def key_page(
    rows: Sequence[tuple[Any, ...]],
    *,
    order: str,
    size: int,
    cursor: Cursor | None,
    first: int = 0,
) -> KeyPage:
    """Return the page of rows as they were read: an id and its key each, one more than the size."""
    backwards = cursor is not None and cursor.is_before
    has_more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows = rows[::-1]
    if not rows:
        return KeyPage([])
    return KeyPage(
        ids=[pk for pk, *_key in rows],
        previous=str(Cursor(order, rows[0][1:], is_before=True))
        if (has_more if backwards else cursor or first)
        else "",
        next=str(Cursor(order, rows[-1][1:])) if (backwards or has_more) else "",
    )


class _Row(Func):
    """Columns or values as one row. PostgreSQL compares rows by the first value that differs."""

    function = "ROW"
    output_field = BooleanField()  # any: a row has no type among Django's fields


def _beyond(cursor: Cursor) -> GreaterThan | LessThan:
    """Return the condition that a product comes after (before) the cursor in its order."""
    columns = KEYS[cursor.order]
    compare = LessThan if columns[0].startswith("-") != cursor.is_before else GreaterThan
    return compare(
        _Row(*(F(name.lstrip("-")) for name in columns)),
        _Row(*(Value(value) for value in cursor.key)),
    )


def _plain(value: Any) -> int | str:
    """Return the value as JSON has it; PostgreSQL reads it as the column's type again."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value

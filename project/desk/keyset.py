"""Pages by key: a page begins behind a row, so it reads none of those before it.

`OFFSET 900000` reads 900,000 rows to skip them. A place in the list is kept as the values that the
rows beside it have in the list's order, which ends with a unique column.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Field, Func, Model, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

LAST = "last"
"""The place of the last page."""

Side = Literal["after", "before"]


@dataclass(frozen=True)
class KeyPage:
    """One page: its rows in the list's order, and the places of the pages beside it, if any."""

    rows: list[Any]
    previous: str
    next: str

    @property
    def is_whole_list(self) -> bool:
        return not self.previous and not self.next


def read_page(queryset: QuerySet[Any], *, place: str, size: int) -> KeyPage:
    """Return the page at this place; the first one if the place is none.

    `queryset` is ordered by columns that are never NULL, all in one direction, and the last of
    them is unique: so one index carries it forwards and backwards.
    """
    side, key = _parse(queryset, place)
    if place == LAST:
        rows = list(queryset.reverse()[: size + 1])
        return _page(queryset, rows[:size][::-1], has_previous=len(rows) > size, has_next=False)
    if side == "before":
        rows = list(_beside(queryset, side, key).reverse()[: size + 1])
        if len(rows) > size:
            return _page(queryset, rows[:size][::-1], has_previous=True, has_next=True)
        side = None  # the first page begins here or a few rows before, and is shown in full
    if side == "after":
        rows = list(_beside(queryset, side, key)[: size + 1])
        if rows:
            return _page(queryset, rows[:size], has_previous=True, has_next=len(rows) > size)
        return read_page(queryset, place=LAST, size=size)  # what came after was deleted meanwhile
    rows = list(queryset[: size + 1])
    return _page(queryset, rows[:size], has_previous=False, has_next=len(rows) > size)


class InvalidPlaceError(ValueError):
    """The place is none of a list in this order."""


def read_next(queryset: QuerySet[Any], *, place: str, size: int) -> KeyPage:
    """Return the rows behind this place, of programs that only go on; empty: from the begin.

    `queryset` is ordered as `read_page` needs it. Raises InvalidPlaceError.
    """
    if place:
        side, key = _parse(queryset, place)
        if side != "after":
            raise InvalidPlaceError(place)
        queryset = _beside(queryset, side, key)
    rows = list(queryset[: size + 1])
    return _page(queryset, rows[:size], has_previous=False, has_next=len(rows) > size)


def place_after(queryset: QuerySet[Any], row: Model) -> str:
    """Return the place behind the row, for `read_next` of a list in the same order."""
    return _place(queryset, "after", row)


class _Row(Func):
    """Columns or values as one row. PostgreSQL compares rows by the first value that differs."""

    function = "ROW"
    output_field = BooleanField()  # any: a row has no type among Django's fields


def _beside(queryset: QuerySet[Any], side: Side, key: tuple[Any, ...]) -> QuerySet[Any]:
    """Return the rows on this side of the key."""
    fields = _fields(queryset)
    columns = _Row(*(field.name for field in fields))
    values = _Row(
        *(Value(value, output_field=field) for field, value in zip(fields, key, strict=True))
    )
    is_descending = str(queryset.query.order_by[0]).startswith("-")
    compare = GreaterThan if (side == "after") != is_descending else LessThan
    return queryset.filter(compare(columns, values))


def _page(
    queryset: QuerySet[Any], rows: list[Any], *, has_previous: bool, has_next: bool
) -> KeyPage:
    return KeyPage(
        rows,
        previous=_place(queryset, "before", rows[0]) if has_previous and rows else "",
        next=_place(queryset, "after", rows[-1]) if has_next and rows else "",
    )


def _fields(queryset: QuerySet[Any]) -> "list[Field[Any, Any]]":
    """Return the fields of the queryset's order."""
    options = queryset.model._meta
    names = [str(name).removeprefix("-") for name in queryset.query.order_by]
    return [options.pk if name == "pk" else options.get_field(name) for name in names]


def _place(queryset: QuerySet[Any], side: Side, row: Model) -> str:
    """Return the place beside this row, for an address."""
    return side + json.dumps([field.value_to_string(row) for field in _fields(queryset)])


def _parse(queryset: QuerySet[Any], place: str) -> tuple[Side | None, tuple[Any, ...]]:
    """Return the side and the key of a place; no side if it isn't one of this order."""
    side: Side = "before" if place.startswith("before") else "after"
    try:
        texts = json.loads(place.removeprefix(side)) if place.startswith(side) else None
    except ValueError:
        return None, ()
    fields = _fields(queryset)
    if not isinstance(texts, list) or len(texts) != len(fields):
        return None, ()
    try:
        return side, tuple(map(_value, fields, texts))
    except ValidationError:
        return None, ()


def _value(field: "Field[Any, Any]", text: Any) -> Any:
    """Return the text as the field's value. Raises ValidationError."""
    value = field.to_python(str(text))
    if value is None:
        raise ValidationError("a row has a value in each of these columns")
    field.run_validators(value)
    return value

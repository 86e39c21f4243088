"""Sheets: what an export of a list holds, column by column, whatever the file's format."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise

CHUNK_ROWS = 1000
"""Rows of the list that are in memory at a time, with what is prefetched for them."""


@dataclass(frozen=True)
class Column:
    """A column: its label, and the value of a row as text, number, Decimal, bool, time or None."""

    label: str | Promise
    value: Callable[[Any], Any]


def column(label: str | Promise, attribute: str) -> Column:
    """Return the column of a row's attribute; of a related row's with a dot: `user.username`."""
    return Column(label, attrgetter(attribute))


def same_rows(shown: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows as the list reads them."""
    return shown


def itself(row: Any) -> Iterable[Any]:
    """Return the row alone: one row of the list is one row of the sheet."""
    return (row,)


@dataclass(frozen=True)
class Sheet:
    """One table that a list can be exported as, such as its orders, or their lines."""

    name: str
    """In the file's name and its address."""
    label: str | Promise
    columns: Sequence[Column]
    read: Callable[[QuerySet[Any]], QuerySet[Any]] = same_rows
    """Adds to the list's rows what the columns read of other tables, by joins or prefetches."""
    expand: Callable[[Any], Iterable[Any]] = itself
    """Returns the sheet's rows of one row of the list: an order's lines, in the list's order."""

    def header(self) -> list[str]:
        """Return the labels in the current language."""
        return [str(each.label) for each in self.columns]

    def read_rows(self, shown: QuerySet[Any]) -> Generator[list[list[Any]], None, None]:
        """Yield for each row of the list the values of its rows in the sheet.

        A server-side cursor reads them chunk by chunk. In a transaction the first rows come at
        once; without one PostgreSQL first stores the whole result.
        """
        for row in self.read(shown).iterator(chunk_size=CHUNK_ROWS):
            yield [[each.value(found) for each in self.columns] for found in self.expand(row)]

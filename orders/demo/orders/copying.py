"""COPY: the fastest way of rows into a table. Constraints, foreign keys and triggers stay on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True)
class Copied:
    """The columns of a model that COPY fills; the others have the database's defaults."""

    model: type[models.Model]
    columns: tuple[str, ...]

    def write(self, cursor: CursorWrapper, rows: Iterable[Sequence[Any]]) -> int:
        """Copy the rows, with values in the order of `columns`; return how many there were."""
        quote = connection.ops.quote_name
        names = ", ".join(quote(name) for name in self.columns)
        written = 0
        with cursor.copy(f"COPY {quote(self.model._meta.db_table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                written += 1
        return written


def uuid7(milliseconds: int, bits: int) -> UUID:
    """Return the time-ordered UUID of a time and 74 random bits (RFC 9562, 5.7)."""
    high = (milliseconds << 16) | 0x7000 | (bits >> 62 & 0xFFF)
    return UUID(int=high << 64 | 0b10 << 62 | bits & (1 << 62) - 1)

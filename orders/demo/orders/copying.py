"""COPY: the fastest way of rows into a table.

Formatting each value by its type takes longer than PostgreSQL needs to store it. So most rows are
made of values that COPY's text format takes as they are: numbers, times, and texts by `ready`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

NULL = r"\N"
"""NULL in COPY's text format."""
BLOCK = 500
"""Rows that are sent at a time: PostgreSQL stores them while the next are made."""
_LOW_62_BITS = (1 << 62) - 1


@dataclass(frozen=True)
class Copied:
    """The columns of a model that COPY fills; the others have the database's defaults."""

    model: type[models.Model]
    columns: tuple[str, ...]

    def write(self, cursor: CursorWrapper, rows: Iterable[Sequence[Any]]) -> None:
        """Copy rows of any values in the order of `columns`."""
        with cursor.copy(self._statement) as copy:
            for row in rows:
                copy.write_row(row)

    def write_ready(self, cursor: CursorWrapper, rows: Iterable[tuple[Any, ...]]) -> None:
        """Copy rows whose values have the text that COPY reads: see `ready` and NULL."""
        line = "\t".join(["%s"] * len(self.columns)) + "\n"
        coming = iter(rows)
        with cursor.copy(self._statement) as copy:
            while block := "".join([line % row for row in islice(coming, BLOCK)]):
                copy.write(block)

    @cached_property
    def _statement(self) -> str:
        quote = connection.ops.quote_name
        names = ", ".join(quote(name) for name in self.columns)
        return f"COPY {quote(self.model._meta.db_table)} ({names}) FROM STDIN"


def ready(text: str) -> str:
    """Return the text as COPY's text format has it."""
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace("\r", r"\r").replace("\t", r"\t")


def ready_json(text: str) -> str:
    """Return the JSON as COPY's text format has it: it has no control characters."""
    return text.replace("\\", r"\\")


def uuid7(milliseconds: int, bits: int) -> str:
    """Return the time-ordered UUID of a time and 74 random bits (RFC 9562, 5.7)."""
    high = (milliseconds << 16) | 0x7000 | (bits >> 62)
    digits = f"{high << 64 | 0b10 << 62 | bits & _LOW_62_BITS:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

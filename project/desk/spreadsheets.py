"""CSV tables for spreadsheets, in which no cell is taken for a formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any

BOM = "\ufeff"
"""Without it Excel doesn't recognise UTF-8."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def is_formula(text: str) -> bool:
    """Return True if a spreadsheet would evaluate the text."""
    return text.startswith(_FORMULA)


def harmless(value: Any) -> Any:
    """Return the cell; a text that a spreadsheet would evaluate gets an apostrophe before it.

    As OWASP's "CSV Injection" says. Numbers stay numbers, below zero too. One that begins with
    apostrophes and is such a text after them gets another, so that `as_meant` gives each back.
    """
    if isinstance(value, str) and is_formula(value.lstrip("'")):
        return f"'{value}"
    return value


def as_meant(text: str) -> str:
    """Return the text without the apostrophe that `harmless` put before it."""
    return text[1:] if text.startswith("'") and is_formula(text.lstrip("'")) else text


def write_csv(file: IO[str], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write the table row by row; open the file with newline=""."""
    file.write(BOM)
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])

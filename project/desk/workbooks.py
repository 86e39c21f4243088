"""A sheet as XLSX: real numbers and dates, written row by row in little memory."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from project.desk.spreadsheets import is_formula
from project.text import clean

MOST_ROWS = 1_000_000
"""Rows of one worksheet; Excel has 1,048,576. Further ones are on the next worksheet."""
MOST_LETTERS = 32_767
"""Letters of one cell, as Excel has them."""
_TIME = "yyyy-mm-dd hh:mm:ss"
_DAY = "yyyy-mm-dd"
_MONEY = "0.00"


def write_workbook(
    file: IO[bytes], *, title: str, header: list[str], rows: Iterable[list[Any]]
) -> int:
    """Write the workbook, and return its number of rows.

    Times are the shop's local time, as spreadsheets know no time zones.
    """
    from openpyxl import Workbook  # takes 0.2 s to load

    book = Workbook(write_only=True)
    left = iter(rows)
    count = 0
    while True:
        written = _write_worksheet(book, title=title, header=header, rows=left)
        count += written
        if written < MOST_ROWS:
            break
    book.save(file)
    return count


def _write_worksheet(book: Any, *, title: str, header: list[str], rows: Iterator[list[Any]]) -> int:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    # openpyxl numbers the second worksheet of a name; Excel takes 31 letters.
    worksheet = book.create_sheet(title=title[:25])
    worksheet.freeze_panes = "A2"
    for number, label in enumerate(header, 1):
        width = max(12, min(40, 2 * len(label)))
        worksheet.column_dimensions[get_column_letter(number)].width = width
    named = [WriteOnlyCell(worksheet, label) for label in header]
    for cell in named:
        cell.font = Font(bold=True)
    worksheet.append(named)
    count = 0
    for row in rows:
        worksheet.append([_cell(worksheet, value) for value in row])
        count += 1
        if count == MOST_ROWS:
            break
    return count


def _cell(worksheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        text = clean(value, longest=MOST_LETTERS)
        if not is_formula(text):
            return text
        cell = WriteOnlyCell(worksheet, text)
        cell.data_type = "s"  # openpyxl takes “=…” for a formula
        cell.quotePrefix = True  # and Excel would, when the cell is edited
        return cell
    if isinstance(value, datetime):
        return _formatted(worksheet, localtime(value).replace(tzinfo=None), _TIME)
    if isinstance(value, date):
        return _formatted(worksheet, value, _DAY)
    if isinstance(value, Decimal):
        return _formatted(worksheet, value, _MONEY)
    return value


def _formatted(worksheet: Any, value: Any, number_format: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(worksheet, value)
    cell.number_format = number_format
    return cell

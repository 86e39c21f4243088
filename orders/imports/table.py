"""The table of an import: CSV or XLSX → rows of texts under known columns."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from orders.imports.cells import Cell, doubt_of, spreadsheet_cell
from orders.imports.errors import ImportRefusedError
from orders.imports.package import MAX_TABLE_BYTES, PackedFile
from orders.models.translated import other_languages
from project.conf.media_storage import is_away
from project.desk.spreadsheets import as_meant

MAX_ROWS = 20_000
MAX_SHEET_BYTES = 200_000_000
"""The largest unpacked size of an .xlsx file, which is a zip."""
MAX_NUMBERED = 20
"""The largest number of columns `picture 1`, `picture 2` …"""
MAX_HEADER = 20_000
"""The largest number of characters of a CSV's header line."""
DELIMITERS = ",;\t"
_SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[^\r\n])"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
"""Excel's own first line, which names the delimiter; Excel shows it as no row."""
COLUMNS = {
    "sku": ("sku", "article number", "货号", "商品编号"),
    "name": ("name", "名称", "商品名称"),
    "category": ("category", "分类", "类别"),
    "description": ("description", "描述"),
    "price": ("price", "价格"),
    "shelf": ("shelf", "货位"),
    "weight": ("weight", "weight (g)", "重量", "重量（克）"),
    "tax class": ("tax class", "税类"),
    "stock": ("stock", "库存"),
    "on sale": ("on sale", "active", "上架"),
    "pictures": ("pictures", "picture", "images", "image", "图片"),
    "alt": ("alt", "alt text", "alternative text", "替代文本"),
    "variant of": ("variant of", "所属商品"),
    "options": ("options", "选项"),
    "position": ("position", "排序"),
}
"""The columns, and the names that each header may have. A translation's has its language behind it:
`name zh-hans`."""
TRANSLATED = ("name", "category", "description", "options", "alt")
for _code, _language in other_languages():
    COLUMNS |= {
        f"{column} {_code}": tuple(f"{header} {_code}" for header in COLUMNS[column])
        for column in TRANSLATED
    }
_BY_HEADER = {header: column for column, headers in COLUMNS.items() for header in headers} | {
    f"{prefix} {number}": f"{column} {number}"
    for column, prefixes in (
        ("picture", ("picture", "image", "图片")),
        ("alt", ("alt", "替代文本")),
    )
    for prefix in prefixes
    for number in range(1, MAX_NUMBERED + 1)
}


@dataclass(frozen=True)
class RawRow:
    """An unparsed row of the table; the header is row 1."""

    number: int
    cells: dict[str, str]
    surplus: bool = False
    """True if the row has more cells than the header."""
    doubts: dict[str, str] = field(default_factory=dict)
    """Column → why its cell can't be what was typed, and what to do."""


@dataclass(frozen=True)
class _Typed:
    """A cell of a spreadsheet before its column is known."""

    value: Any
    number_format: str
    is_error: bool

    @property
    def text(self) -> str:
        return "" if self.value is None else str(self.value)

    def read(self, column: str) -> Cell:
        return spreadsheet_cell(
            self.value,
            number_format=self.number_format,
            is_error=self.is_error,
            column=column,
        )


_Line = Sequence[str | _Typed]


Columns = Mapping[str, tuple[str, ...]]


def read_table(packed: PackedFile, *, known: Columns = COLUMNS) -> list[RawRow]:
    """Return the rows that aren't empty. `known`: the columns. Raises ImportRefusedError."""
    headers = _headers(known)
    with packed.open() as file:
        if packed.name.lower().endswith(".xlsx"):
            lines: Iterator[_Line] = iter(_xlsx_lines(file))
        else:
            lines = iter(_csv_lines(file.read(MAX_TABLE_BYTES + 1), headers))
        header = next(lines, None)
        if header is None:
            raise ImportRefusedError(_("The table is empty."))
        columns = _columns([_text(cell) for cell in header], headers)
        rows = [row for row in _rows(lines, columns) if any(row.cells.values()) or row.surplus]
    if not rows:
        raise ImportRefusedError(_("The table has a header and no rows."))
    return rows


def _rows(lines: Iterable[_Line], columns: list[str]) -> Iterator[RawRow]:
    for number, line in enumerate(lines, start=2):
        if number > MAX_ROWS + 1:
            text = _("The table has more than %(limit)d rows. Split it.")
            raise ImportRefusedError(text % {"limit": MAX_ROWS})
        surplus = any(_text(cell).strip() for cell in line[len(columns) :])
        cells, doubts = {}, {}
        for column, raw in zip(columns, line, strict=False):
            if not column:
                continue
            cell = Cell(raw) if isinstance(raw, str) else raw.read(column)
            cells[column] = as_meant(cell.text.strip())
            if doubt := cell.doubt or doubt_of(cells[column], column=column):
                doubts[column] = doubt
        yield RawRow(number, cells, surplus, doubts)


def _text(cell: str | _Typed) -> str:
    return cell if isinstance(cell, str) else cell.text


def _headers(known: Columns) -> dict[str, str]:
    """Return the column of each name that a header may have."""
    if known is COLUMNS:
        return _BY_HEADER
    return {header: column for column, headers in known.items() for header in headers}


def _columns(header: list[str], headers: Mapping[str, str]) -> list[str]:
    """Return the column of each header cell; "" for an empty cell at the end."""
    filled = max((number for number, cell in enumerate(header, 1) if cell.strip()), default=0)
    columns: list[str] = []
    for cell in header[:filled]:
        column = headers.get(_plain(cell))
        if column is None:
            text = _("Column “%(column)s” isn't known. Known are: %(known)s.")
            known = ", ".join(
                [*COLUMNS, "picture 1, alt 1, picture 2 …"]
                if headers is _BY_HEADER
                else dict.fromkeys(headers.values())
            )
            raise ImportRefusedError(text % {"column": cell.strip()[:60], "known": known})
        if column in columns:
            text = _("Column “%(column)s” is there twice. Leave one.")
            raise ImportRefusedError(text % {"column": column})
        columns.append(column)
    if "sku" not in columns:
        raise ImportRefusedError(_("There is no column “sku”: it tells the products apart."))
    return columns


def _plain(header: str) -> str:
    return " ".join(header.replace("_", " ").split()).casefold()


def _csv_lines(data: bytes, headers: Mapping[str, str]) -> Iterator[list[str]]:
    text = _decoded(data)
    sep_line = _SEP_LINE.match(text)
    if sep_line is not None:
        text = text[sep_line.end() :]
    # Lines may end in CR, LF or both, as the csv module reads them, too.
    header = re.split(r"[\r\n]", text[: MAX_HEADER + 1], maxsplit=1)[0]
    if len(header) > MAX_HEADER:
        raise ImportRefusedError(
            _("The first line has more than %(limit)d characters: it isn't a header.")
            % {"limit": MAX_HEADER}
        )
    delimiter = sep_line["delimiter"] if sep_line is not None else _delimiter(header, headers)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from lines
    except csv.Error as error:
        sentence = _("Line %(line)d can't be read: %(reason)s. Look for a quote too many.")
        values = {"line": lines.line_num, "reason": error}
        raise ImportRefusedError(sentence % values) from error


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ImportRefusedError(_not_unicode()) from error
    if "\0" in text:  # UTF-16 without a byte order mark, or a binary file
        raise ImportRefusedError(_not_unicode())
    return text


def _not_unicode() -> str:
    return _("The table isn't UTF-8 or UTF-16. In Excel, save it as “CSV UTF-8” or as .xlsx.")


def _delimiter(header: str, headers: Mapping[str, str]) -> str:
    """Return the delimiter that gives the most known columns."""

    def known(delimiter: str) -> int:
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return sum(_plain(cell) in headers for cell in cells)

    return max(DELIMITERS, key=known)


def _xlsx_lines(file: Any) -> Iterator[list[_Typed]]:
    """Yield the rows of the first sheet; one row at a time is in memory."""
    import openpyxl  # takes 0.2 s to load

    try:
        with zipfile.ZipFile(file) as parts:
            sizes = sum(part.file_size for part in parts.infolist())
        if sizes > MAX_SHEET_BYTES:
            raise ImportRefusedError(_("Unpacked, the table is too large. Split it."))
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            for line in book.worksheets[0].iter_rows():
                yield [
                    _Typed(cell.value, cell.number_format, cell.data_type == "e") for cell in line
                ]
        finally:
            book.close()
    except ImportRefusedError:
        raise
    except Exception as error:  # openpyxl has no class for what it can't read: any may come
        if is_away(error):
            raise
        text = _("The table can't be read as .xlsx. Open it, save it anew, and try again.")
        raise ImportRefusedError(text) from error

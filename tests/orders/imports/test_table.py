"""Tables as spreadsheets save them."""

import io
import re
import time
import zipfile
from datetime import date
from datetime import time as time_of_day
from typing import Any

import openpyxl
import pytest

from orders.imports import table as module
from orders.imports.errors import ImportRefusedError
from orders.imports.package import PackedFile
from orders.imports.table import RawRow, read_table
from project.conf.media_storage import StorageDownError
from tests.time_bounds import stretched

TEXT = "sku,name\nMUG,Blue mug\n"


def read(data: bytes, name: str = "products.csv") -> list[RawRow]:
    return read_table(PackedFile(name, len(data), lambda: io.BytesIO(data)))


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str) -> None:
    rows = read("sku,name\nMUG,蓝色马克杯\n".encode(encoding))

    assert rows == [RawRow(2, {"sku": "MUG", "name": "蓝色马克杯"})]


@pytest.mark.parametrize("data", ["sku,name\nMUG,Käse".encode("latin-1"), TEXT.encode("utf-16-le")])
def test_other_encodings_are_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(ImportRefusedError, match="CSV UTF-8"):
        read(data)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = read(f'sku{delimiter}name\nMUG{delimiter}"One, two; three"\n'.encode())

    assert rows[0].cells == {"sku": "MUG", "name": "One, two; three"}


@pytest.mark.parametrize("header", ["SKU,On_Sale,Picture 2", "货号,上架,图片 2"])
def test_headers_may_be_written_in_several_ways(header: str) -> None:
    rows = read(f"{header}\nMUG,yes,mug.jpg\n".encode())

    assert rows[0].cells == {"sku": "MUG", "on sale": "yes", "picture 2": "mug.jpg"}


def test_rows_are_numbered_as_the_spreadsheet_shows_them() -> None:
    rows = read(b'sku,name\nMUG,"two\nlines"\n,\nCUP,Cup\n')

    assert [row.number for row in rows] == [2, 4]


def test_a_sheet_is_read_as_it_was_typed() -> None:
    rows = read(
        sheet(("sku", "price", "stock", "on sale", "name"), (4711, 12.5, 7.0, True, None)),
        "products.xlsx",
    )

    assert rows == [
        RawRow(2, {"sku": "4711", "price": "12.5", "stock": "7", "on sale": "yes", "name": ""})
    ]


def test_an_apostrophe_that_kept_a_formula_harmless_is_taken_off() -> None:
    (row,) = read(b"sku,name\n'=MUG,'-5\n")

    assert row.cells == {"sku": "=MUG", "name": "-5"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"sku,name\n", "no rows"),
        (b"sku,prise\nMUG,1\n", "“prise” isn't known"),
        (b"sku,name,Name\nMUG,a,b\n", "is there twice"),
        (b"name\nMug\n", "no column “sku”"),
        (b'sku,name\nMUG,"a"b"\n', "Line 2 can't be read"),
    ],
)
def test_a_table_that_can_not_be_understood_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        read(data)


def test_what_only_says_that_it_is_a_sheet_is_refused() -> None:
    with pytest.raises(ImportRefusedError, match=r"can't be read as \.xlsx"):
        read(b"not a zip", "products.xlsx")


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)

    assert len(read(b"sku\nA\nB\n")) == 2
    with pytest.raises(ImportRefusedError, match="more than 2 rows"):
        read(b"sku\nA\nB\nC\n")


@pytest.mark.parametrize("ends", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("first", ["", "sep=;{end}", '"SEP=;"{end}'])
def test_any_line_end_and_excels_own_first_line_are_read(ends: str, first: str) -> None:
    text = first.format(end=ends) + ends.join(["sku;name", "MUG;Blue, large", "CUP;Cup", ""])

    rows = read(text.encode())

    assert [(row.number, row.cells["name"]) for row in rows] == [(2, "Blue, large"), (3, "Cup")]


@pytest.mark.parametrize(
    "header", [b"x" * 200_000, b"sku" + b"," * 200_000, b'sku,"' + b"x" * 200_000 + b'"']
)
def test_a_header_without_end_is_refused_at_once(header: bytes) -> None:
    begin = time.monotonic()

    with pytest.raises(ImportRefusedError, match="isn't a header"):
        read(header + b"\nMUG\n")

    assert time.monotonic() - begin < stretched(1)


def test_a_sheet_that_openpyxl_breaks_on_is_refused_and_not_tried_again() -> None:
    file = io.BytesIO()
    whole = zipfile.ZipFile(io.BytesIO(sheet(("sku",), ("MUG",))))
    with zipfile.ZipFile(file, "w") as broken:
        for name in whole.namelist():
            data = whole.read(name)
            broken.writestr(name, data[:90] if name == "xl/worksheets/sheet1.xml" else data)

    with pytest.raises(ImportRefusedError, match=r"can't be read as \.xlsx"):
        read(file.getvalue(), "products.xlsx")


def test_a_storage_that_is_down_is_no_fault_of_the_table() -> None:
    def opened() -> io.BytesIO:
        raise StorageDownError("the bucket doesn't answer")

    with pytest.raises(StorageDownError):
        read_table(PackedFile("products.xlsx", 1, opened))


def formatted(value: Any, number_format: str, *, header: str = "sku") -> bytes:
    book = openpyxl.Workbook()
    book.active.append((header,) if header == "sku" else ("sku", header))
    book.active.append((value,) if header == "sku" else ("MUG", value))
    book.active.cell(2, 1 if header == "sku" else 2).number_format = number_format
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("column", ["sku", "name", "category", "description", "picture 1", "alt"])
@pytest.mark.parametrize(
    ("value", "number_format", "reason"),
    [
        (date(2026, 3, 1), "d-mmm", r"is a date \(2026-03-01.*; format the column as text"),
        (time_of_day(12, 30), "h:mm", r"is a date \(12:30"),
        (True, "General", "is TRUE, which is no text"),
        ("#REF!", "General", "“#REF!” is an error of the spreadsheet; correct the cell"),
        (123, "00000", "is the number 123, which the spreadsheet shows in another way"),
        (1234, "#,##0", "shows in another way"),
        (4006381333931000128, "0", "shows in another way"),
        (0.5, "0%", "is a percentage"),
    ],
)
def test_a_cell_that_a_spreadsheet_has_made_is_no_text(
    column: str, value: Any, number_format: str, reason: str
) -> None:
    (row,) = read(formatted(value, number_format, header=column), "products.xlsx")

    assert list(row.doubts) == [column]
    assert re.search(reason, row.doubts[column])


@pytest.mark.parametrize("number_format", ["General", "0", "0_ ", "0;[Red]-0", "@"])
def test_a_number_that_is_shown_as_it_is_written_is_a_text(number_format: str) -> None:
    (row,) = read(formatted(4006381333931, number_format), "products.xlsx")

    assert row == RawRow(2, {"sku": "4006381333931"})


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (13.049999999999999, "0.00", "13.05"),
        (0.1 + 0.2, "General", "0.3"),
        (13.0512, "0.00", "13.0512"),  # `rows` refuses it: which price is meant isn't known
        (1200, "#,##0.00", "1200"),
    ],
)
def test_a_price_is_what_the_spreadsheet_shows(value: float, number_format: str, text: str) -> None:
    (row,) = read(formatted(value, number_format, header="price"), "products.xlsx")

    assert (row.cells["price"], row.doubts) == (text, {})

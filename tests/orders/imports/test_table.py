"""Tables as spreadsheets save them."""

import io
from typing import Any

import openpyxl
import pytest

from orders.imports import table as module
from orders.imports.errors import ImportRefusedError
from orders.imports.package import PackedFile
from orders.imports.table import RawRow, read_table

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

"""A suite's folder of CSV files, read and checked as a whole before anything of it is loaded.

Each fault names file, line, column and what to do; all of them are told at once.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orders.agents.envelope import major, minor
from orders.catalogue.stock import MOST_UNITS
from orders.models import Category, Product, Voucher
from orders.models.product import IS_PARENT
from orders.models.voucher import CODE_PATTERN
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_text
from orders.vouchers.discount import plain_code
from project.countries import COUNTRIES

CATEGORY = "UCP"
"""The category of products whose file names none."""
LARGEST = Decimal(99_999_999)
"""An amount, at most: what the columns of prices can keep."""
_WHOLE = re.compile(r"[0-9]{1,30}")
_OPTION = re.compile(r"[A-Za-z0-9._-]{1,40}")
"""As the checkout's form takes a chosen delivery."""


class _CellError(ValueError):
    """The cell can't be loaded; the text says what to write."""


@dataclass(frozen=True)
class Row:
    file: str
    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class ProductRow:
    sku: str
    name: str
    price: Decimal
    category: str


@dataclass(frozen=True)
class VoucherRow:
    code: str
    kind: str
    value: Decimal
    category: str


@dataclass(frozen=True)
class RateRow:
    code: str
    country: str
    """Empty: anywhere."""
    service: str
    label: str
    price: Decimal


@dataclass(frozen=True)
class InstrumentRow:
    token: str
    name: str
    kind: str


@dataclass
class Folder:
    """What the files say. `faults` is empty, or nothing of it may be loaded."""

    faults: list[str] = field(default_factory=list)
    products: list[ProductRow] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    """Units by SKU, of the products that inventory.csv names."""
    vouchers: list[VoucherRow] = field(default_factory=list)
    rates: list[RateRow] = field(default_factory=list)
    instruments: list[InstrumentRow] = field(default_factory=list)

    def fault(self, row: Row, column: str, text: str) -> None:
        self.faults.append(f"{row.file}, line {row.line}, {column}: {text}")


def read_folder(path: Path, *, has_instruments: bool) -> Folder:
    """Read the files, each of which but products.csv may be missing. Raises OSError."""
    folder = Folder()
    if not (path / "products.csv").is_file():
        folder.faults.append(f"{path} has no products.csv. Write one, or name another folder.")
        return folder
    named = _read_products(folder, path / "products.csv")
    _read_inventory(folder, path / "inventory.csv", named)
    _read_discounts(folder, path / "discounts.csv")
    _read_rates(folder, path / "shipping_rates.csv")
    if has_instruments:
        _read_instruments(folder, path / "payment_instruments.csv")
    return folder


def _read_products(folder: Folder, file: Path) -> set[str]:
    """Read the products; return the SKUs of all lines, those with faults among them."""
    before = len(folder.faults)
    rows = _rows(folder, file, needed=("id", "title", "price"), others=("image_url", "category"))
    if not rows and len(folder.faults) == before:
        folder.faults.append("products.csv has no products. Write a line for each.")
    _refuse_repeats(folder, rows, "id")
    for row in rows:
        cells = _Cells(folder, row)
        sku, name = cells.text("id", most=40), cells.text("title", most=200)
        price, category = cells.amount("price"), cells.category() or CATEGORY
        if sku and name and price is not None:
            folder.products.append(ProductRow(sku, name, price, category))
    return {row.cells["id"] for row in rows}


def _read_inventory(folder: Folder, file: Path, named: set[str]) -> None:
    rows = _rows(folder, file, needed=("product_id", "quantity"))
    _refuse_repeats(folder, rows, "product_id")
    parents = set(Product.objects.filter(IS_PARENT, sku__in=named).values_list("sku", flat=True))
    for row in rows:
        sku = row.cells["product_id"]
        units = _Cells(folder, row).whole("quantity", most=MOST_UNITS)
        if sku in parents:
            text = "is sold as variants, and has no stock of its own. Name its variants instead."
            folder.fault(row, "product_id", f"{sku} {text}")
        elif named and sku not in named:
            text = f"products.csv has no “{sku}”. Add it there, or remove this line."
            folder.fault(row, "product_id", text)
        elif units is not None:
            folder.units[sku] = units


def _read_discounts(folder: Folder, file: Path) -> None:
    needed, others = ("code", "type", "value"), ("description", "category")
    rows = _rows(folder, file, needed=needed, others=others)
    _refuse_repeats(folder, rows, "code", as_kept=plain_code)
    for row in rows:
        cells = _Cells(folder, row)
        code, category = plain_code(row.cells["code"]), cells.category()
        if not re.fullmatch(CODE_PATTERN, code):
            folder.fault(row, "code", "Write 3 to 40 letters, digits and hyphens.")
        match row.cells["type"]:
            case "percentage":
                kind, value = Voucher.Kind.PERCENT, cells.percentage("value")
            case "fixed_amount":
                kind, value = Voucher.Kind.AMOUNT, cells.amount("value", least=1)
            case _:
                folder.fault(row, "type", "Write percentage or fixed_amount.")
                continue
        if value is not None:
            folder.vouchers.append(VoucherRow(code, kind, value, category))


def _read_rates(folder: Folder, file: Path) -> None:
    needed = ("id", "country_code", "service_level", "price", "title")
    rows = _rows(folder, file, needed=needed)
    _refuse_repeats(folder, rows, "id")
    _refuse_repeats(folder, rows, "country_code", "service_level")
    for row in rows:
        cells, country = _Cells(folder, row), row.cells["country_code"]
        if not _OPTION.fullmatch(row.cells["id"]):
            text = "Write 1 to 40 letters, digits, points, hyphens and underlines."
            folder.fault(row, "id", text)
        if country != "default" and country not in COUNTRIES:
            text = "Write a country by its code of two capital letters, like DE, or default."
            folder.fault(row, "country_code", text)
        price = cells.amount("price")
        service, label = cells.text("service_level", most=40), cells.text("title", most=100)
        if price is not None:
            code = row.cells["id"]
            place = "" if country == "default" else country
            folder.rates.append(RateRow(code, place, service, label, price))


def _read_instruments(folder: Folder, file: Path) -> None:
    needed = ("type", "brand", "last_digits", "token")
    rows = _rows(folder, file, needed=needed, others=("id", "handler_id"))
    _refuse_repeats(folder, rows, "token")
    for row in rows:
        cells = _Cells(folder, row)
        token, kind = cells.text("token", most=100), cells.text("type", most=40)
        name = f"{cells.text('brand', most=80)} {cells.text('last_digits', most=19)}"
        folder.instruments.append(InstrumentRow(token, name, kind))


class _Cells:
    """The cells of a row as values. One that can't be read is a fault, and None or empty."""

    def __init__(self, folder: Folder, row: Row) -> None:
        self._folder, self._row = folder, row

    def text(self, column: str, *, most: int) -> str:
        try:
            return clean_text(self._row.cells[column], field="", max_length=most)
        except InvalidOrder as invalid:
            self._folder.fault(self._row, column, " ".join(each.message for each in invalid.errors))
            return ""

    def category(self) -> str:
        if not self._row.cells.get("category"):
            return ""
        return self.text("category", most=Category._meta.get_field("name").max_length or 100)

    def whole(self, column: str, *, most: int, least: int = 0, what: str = "") -> int | None:
        text = self._row.cells[column]
        if _WHOLE.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        wanted = f"Write a whole number{what} from {least} to {most}, instead of “{text[:40]}”."
        self._folder.fault(self._row, column, wanted)
        return None

    def amount(self, column: str, *, least: int = 0) -> Decimal | None:
        units = self.whole(column, least=least, most=minor(LARGEST), what=" of minor units")
        return None if units is None else major(units)

    def percentage(self, column: str) -> Decimal | None:
        text = self._row.cells[column]
        try:
            value = Decimal(text)
            if 0 < value <= 100 and value == round(value, 2):
                return value
        except InvalidOperation:
            pass
        wanted = f"Write a percentage above 0, at most 100, instead of “{text[:40]}”."
        self._folder.fault(self._row, column, wanted)
        return None


def _refuse_repeats(
    folder: Folder, rows: Sequence[Row], *columns: str, as_kept: Callable[[str], str] = str
) -> None:
    """Enter a fault for each row that has the same in these columns as one before it."""
    lines: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = tuple(as_kept(row.cells[column]) for column in columns)
        first = lines.setdefault(key, row.line)
        if all(key) and first != row.line:
            text = f"“{' '.join(key)}” is in line {first} already. Remove one of the two lines."
            folder.fault(row, " and ".join(columns), text)


def _rows(
    folder: Folder, file: Path, *, needed: Sequence[str], others: Sequence[str] = ()
) -> list[Row]:
    """Return the file's rows; none for a file that isn't there or has no such header."""
    if not file.is_file():
        return []
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        folder.faults.append(f"{file.name}, line {line}: it isn't UTF-8. Save the file as UTF-8.")
        return []
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] = []
    line = 1
    try:
        for cells in table:
            if not header:
                header = [cell.strip() for cell in cells]
                if not _is_header(folder, file.name, header, needed, others):
                    return []
            elif len(cells) > len(header):
                row = Row(file.name, line, {})
                folder.fault(row, f"cell {len(header) + 1}", _TOO_MANY)
            elif any(cell.strip() for cell in cells):
                cells += [""] * (len(header) - len(cells))
                stripped = [cell.strip() for cell in cells]
                rows.append(Row(file.name, line, dict(zip(header, stripped, strict=True))))
            line = table.line_num + 1
    except csv.Error:
        text = "its quotation marks can't be read. Close each, and double those inside of a text."
        folder.faults.append(f"{file.name}, line {line}: {text}")
    if not header:
        folder.faults.append(f"{file.name} is empty. Its first line is: {','.join(needed)}")
    return rows


_TOO_MANY = "the header has no such column. Remove it, or put a text with commas in quotes."


def _is_header(
    folder: Folder, file: str, header: list[str], needed: Sequence[str], others: Sequence[str]
) -> bool:
    """Tell whether the first line names the columns, each once; enter faults if not."""
    before, row = len(folder.faults), Row(file, 1, {})
    for column in needed:
        if column not in header:
            folder.fault(row, column, "the column is missing. Add it.")
    for place, column in enumerate(header, 1):
        if column not in (*needed, *others):
            known = ", ".join((*needed, *others))
            text = f"there is no such column. Remove it; the columns are {known}."
            folder.fault(row, column or f"cell {place}", text)
        elif column in header[: place - 1]:
            folder.fault(row, column, "the column is there twice. Remove one of them.")
    return len(folder.faults) == before

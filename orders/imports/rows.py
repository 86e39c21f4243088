"""Parsing one row: a doubtful value is refused, with its column and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext as _

from orders.imports.cells import number_text
from orders.imports.errors import RowRefusedError
from orders.imports.table import MAX_NUMBERED, RawRow

MAX_UNITS = 1_000_000
MAX_GRAMS = 1_000_000
MAX_PICTURES = 20
MAX_DESCRIPTION = 20_000
LENGTHS = {
    "sku": 40,
    "name": 200,
    "category": 100,
    "description": MAX_DESCRIPTION,
    "shelf": 40,
    "tax class": 100,
}
YES = ("yes", "y", "true", "1", "x", "是")
NO = ("no", "n", "false", "0", "否")
_PRICE = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
# What programs write of a number that no float has, 13.049999999999999: it is 13.05.
_FLOAT = re.compile(r"[0-9]{1,8}\.[0-9]{3,20}")
_COUNT = re.compile(r"[0-9]{1,7}")
# Control characters, without the line breaks and tabs that a description may have.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class PictureCell:
    file: str
    alt: str


@dataclass(frozen=True)
class Row:
    """A parsed row. None means that the table has no value."""

    number: int
    sku: str
    name: str | None
    category: str | None
    description: str | None
    price: Decimal | None
    shelf: str | None
    weight: int | None
    """Grams."""
    tax_class: str | None
    stock: int | None
    on_sale: bool | None
    pictures: tuple[PictureCell, ...]


def parse_row(raw: RawRow) -> Row:
    """Return the row's values. Raises RowRefusedError naming every column that is wrong."""
    faults = [f"{column}: {doubt}" for column, doubt in raw.doubts.items()]
    if raw.surplus:
        faults.append(_("more cells than the header: put texts with commas in quotes"))
    plain = {column: text for column, text in raw.cells.items() if column not in raw.doubts}
    raw = replace(raw, cells=plain)
    sku = _text(raw, "sku", faults)
    if not sku and "sku" not in raw.doubts:
        faults.append(_("sku: is missing"))
    row = Row(
        number=raw.number,
        sku=sku or "",
        name=_text(raw, "name", faults),
        category=_text(raw, "category", faults),
        description=_text(raw, "description", faults),
        price=_price(raw, faults),
        shelf=_text(raw, "shelf", faults),
        weight=_weight(raw, faults),
        tax_class=_text(raw, "tax class", faults),
        stock=_stock(raw, faults),
        on_sale=_on_sale(raw, faults),
        pictures=_pictures(raw, faults),
    )
    if faults:
        raise RowRefusedError("; ".join(faults))
    return row


def rows_by_sku(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Return the row numbers by SKU."""
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row.sku, []).append(row.number)
    return numbers


def _text(raw: RawRow, column: str, faults: list[str]) -> str | None:
    text = raw.cells.get(column, "")
    if column != "description":
        text = " ".join(text.split())
    if len(text) > LENGTHS[column]:
        fault = _("%(column)s: has %(count)d characters; %(limit)d at most")
        faults.append(fault % {"column": column, "count": len(text), "limit": LENGTHS[column]})
    if _CONTROL.search(text):
        faults.append(_("%(column)s: has a control character") % {"column": column})
    return text or None


def _price(raw: RawRow, faults: list[str]) -> Decimal | None:
    text = raw.cells.get("price", "")
    if not text:
        return None
    if _FLOAT.fullmatch(text):
        text = number_text(float(text))
    if _PRICE.fullmatch(text):
        return Decimal(text)
    meant = text.replace(",", ".")
    if "," in text and _PRICE.fullmatch(meant):
        fault = _("price: write “%(meant)s” instead of “%(text)s”")
        faults.append(fault % {"meant": meant, "text": text})
    else:
        fault = _("price: “%(text)s” isn't a price; write it like 12.30, without a currency")
        faults.append(fault % {"text": text[:40]})
    return None


def _stock(raw: RawRow, faults: list[str]) -> int | None:
    text = raw.cells.get("stock", "")
    if not text:
        return None
    if _COUNT.fullmatch(text) and int(text) <= MAX_UNITS:
        return int(text)
    fault = _("stock: “%(text)s” isn't a whole number from 0 to %(limit)d")
    faults.append(fault % {"text": text[:40], "limit": MAX_UNITS})
    return None


def _weight(raw: RawRow, faults: list[str]) -> int | None:
    text = raw.cells.get("weight", "")
    if not text:
        return None
    if _COUNT.fullmatch(text) and int(text) <= MAX_GRAMS:
        return int(text)
    fault = _("weight: “%(text)s” isn't a whole number of grams from 0 to %(limit)d")
    faults.append(fault % {"text": text[:40], "limit": MAX_GRAMS})
    return None


def _on_sale(raw: RawRow, faults: list[str]) -> bool | None:
    text = raw.cells.get("on sale", "")
    if not text:
        return None
    if text.casefold() in YES:
        return True
    if text.casefold() not in NO:
        faults.append(_("on sale: “%(text)s” is neither yes nor no") % {"text": text[:40]})
    return False


def _pictures(raw: RawRow, faults: list[str]) -> tuple[PictureCell, ...]:
    """Read both formats: names separated by “|” in one column, or a column per picture."""
    files = [part.strip() for part in raw.cells.get("pictures", "").split("|")]
    alts = [part.strip() for part in raw.cells.get("alt", "").split("|")]
    alts += [""] * (len(files) - len(alts))
    if any(alts[len(files) :]):
        faults.append(_("alt: has more texts than there are pictures"))
    pairs = list(zip(files, alts, strict=False))
    pairs += [
        (raw.cells.get(f"picture {number}", ""), raw.cells.get(f"alt {number}", ""))
        for number in range(1, MAX_NUMBERED + 1)
    ]
    if any(alt and not file for file, alt in pairs):
        faults.append(_("alt: there is a text without a picture"))
    cells = tuple(PictureCell(file, " ".join(alt.split())) for file, alt in pairs if file)
    if len(cells) > MAX_PICTURES:
        faults.append(_("pictures: at most %(limit)d a product") % {"limit": MAX_PICTURES})
    if any(len(cell.alt) > 200 for cell in cells):
        faults.append(_("alt: at most 200 characters a picture"))
    return cells

"""Parsing one row: a doubtful value is refused, with its column and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.imports.cells import code_of, invisible, number_text
from orders.imports.errors import RowRefusedError
from orders.imports.table import MAX_NUMBERED, RawRow
from orders.models.translated import other_languages
from project.text import DIRECTION_MARKS

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
    "variant of": 40,
}
MAX_OPTION = 60
MAX_POSITION = 30_000
YES = ("yes", "y", "true", "1", "x", "是")
NO = ("no", "n", "false", "0", "否")
_PRICE = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
# What programs write of a number that no float has, 13.049999999999999: it is 13.05.
_FLOAT = re.compile(r"[0-9]{1,8}\.[0-9]{3,20}")
_COUNT = re.compile(r"[0-9]{1,7}")
# Control characters, without the line breaks and tabs that a description may have.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

UNFIT = DIRECTION_MARKS | {"\ufffd"}

Texts = dict[str, dict[str, Any]]
"""Language → column → its translation."""


@dataclass(frozen=True)
class PictureCell:
    file: str
    alt: str
    texts: Texts = field(default_factory=dict)
    """The translations of `alt`."""


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
    variant_of: str | None = None
    """The parent's SKU."""
    options: tuple[str, ...] = ()
    """A parent's: what is chosen. A variant's: what it is. Empty: the table has none."""
    position: int | None = None
    texts: Texts = field(default_factory=dict)
    """Of name, description and options; only what the table has."""
    category_texts: Texts = field(default_factory=dict)


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
        variant_of=_text(raw, "variant of", faults),
        options=_options(raw, "options", faults),
        position=_count(raw, "position", MAX_POSITION, faults),
        texts=_texts(raw, faults),
        category_texts=_translations(raw, "category", "name", faults),
        pictures=_pictures(raw, faults),
    )
    if faults:
        raise RowRefusedError(*faults)
    return row


def rows_by_sku(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Return the row numbers by SKU."""
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row.sku, []).append(row.number)
    return numbers


def _text(raw: RawRow, column: str, faults: list[str]) -> str | None:
    text = raw.cells.get(column, "")
    kind = _own_column(column)
    if kind != "description":
        text = " ".join(text.split())
    if len(text) > LENGTHS[kind]:
        fault = _("%(column)s: has %(count)d characters; %(limit)d at most")
        faults.append(fault % {"column": column, "count": len(text), "limit": LENGTHS[kind]})
    _refuse_unfit(text, column, faults)
    return text or None


def _refuse_unfit(text: str, column: str, faults: list[str]) -> None:
    """Add a fault for a character that the texts of orders may not have, either.

    Those are controls, and marks that turn the text around them. Outside of descriptions nothing
    may be invisible: two names, or two SKUs, that look alike are a trap.
    """
    if _CONTROL.search(text):
        faults.append(_("%(column)s: has a control character") % {"column": column})
        return
    found = next((character for character in text if character in UNFIT), "")
    kind = _own_column(column)
    if not found and kind != "description" and not kind.startswith("alt"):
        found = invisible(text, exact=kind == "sku")
    if found:
        fault = _("%(column)s: has a character that isn't allowed (%(code)s)")
        faults.append(fault % {"column": column, "code": code_of(found)})


def _own_column(column: str) -> str:
    """Return the column of the shop's own language: `name` of `name zh-hans`."""
    for code, _language in other_languages():
        column = column.removesuffix(f" {code}")
    return column


def _translations(raw: RawRow, column: str, name: str, faults: list[str]) -> Texts:
    """Return the translations of the table's column, as the text `name`."""
    found = {code: _text(raw, f"{column} {code}", faults) for code, _language in other_languages()}
    return {code: {name: text} for code, text in found.items() if text}


def _texts(raw: RawRow, faults: list[str]) -> Texts:
    texts: Texts = {}
    for column in ("name", "description"):
        for code, found in _translations(raw, column, column, faults).items():
            texts.setdefault(code, {}).update(found)
    for code, _language in other_languages():
        if options := _options(raw, f"options {code}", faults):
            if len(options) != len(_options(raw, "options", [])):
                fault = _("%(column)s: needs as many texts as the column options")
                faults.append(fault % {"column": f"options {code}"})
            texts.setdefault(code, {})["options"] = list(options)
    return texts


def _options(raw: RawRow, column: str, faults: list[str]) -> tuple[str, ...]:
    cell = raw.cells.get(column, "")
    options = tuple(" ".join(part.split()) for part in cell.split("|")) if cell else ()
    if not all(options):
        faults.append(_("%(column)s: there is nothing between two |") % {"column": column})
    if any(len(option) > MAX_OPTION for option in options):
        fault = _("%(column)s: has %(count)d characters; %(limit)d at most")
        longest = max(map(len, options))
        faults.append(fault % {"column": column, "count": longest, "limit": MAX_OPTION})
    _refuse_unfit(cell, column, faults)
    return options


def _count(raw: RawRow, column: str, limit: int, faults: list[str]) -> int | None:
    text = raw.cells.get(column, "")
    if not text:
        return None
    if _COUNT.fullmatch(text) and int(text) <= limit:
        return int(text)
    fault = _("%(column)s: “%(text)s” isn't a whole number from 0 to %(limit)d")
    faults.append(fault % {"column": column, "text": text[:40], "limit": limit})
    return None


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
    translated = {code: _alts(raw, code, len(files), faults) for code, _name in other_languages()}
    if any(alts[len(files) :]):
        faults.append(_("alt: has more texts than there are pictures"))
    pairs = [
        (file, alt, {code: {"alt": own[place]} for code, own in translated.items() if own[place]})
        for place, (file, alt) in enumerate(zip(files, alts, strict=False))
    ]
    pairs += [
        (raw.cells.get(f"picture {number}", ""), raw.cells.get(f"alt {number}", ""), {})
        for number in range(1, MAX_NUMBERED + 1)
    ]
    if any(alt and not file for file, alt, _texts in pairs):
        faults.append(_("alt: there is a text without a picture"))
    for column, text in raw.cells.items():
        if column == "alt" or column.startswith("alt "):
            _refuse_unfit(text, column, faults)
    cells = tuple(
        PictureCell(file, " ".join(alt.split()), texts) for file, alt, texts in pairs if file
    )
    if len(cells) > MAX_PICTURES:
        faults.append(_("pictures: at most %(limit)d a product") % {"limit": MAX_PICTURES})
    if any(len(cell.alt) > 200 for cell in cells):
        faults.append(_("alt: at most 200 characters a picture"))
    return cells


def _alts(raw: RawRow, code: str, files: int, faults: list[str]) -> list[str]:
    """Return the translated texts of so many pictures, in their order."""
    cell = raw.cells.get(f"alt {code}", "")
    alts = [" ".join(part.split()) for part in cell.split("|")]
    if any(alts[files:]):
        faults.append(_("alt: has more texts than there are pictures"))
    if any(len(alt) > 200 for alt in alts):
        faults.append(_("alt: at most 200 characters a picture"))
    return alts + [""] * (files - len(alts))

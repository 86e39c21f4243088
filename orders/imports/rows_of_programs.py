"""Rows that a program writes into the catalogue: the import's rules, without a table.

They are parsed, planned and written as the rows of an import, so that a product is refused for the
same reasons wherever it comes from.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from orders.imports.errors import RowRefusedError
from orders.imports.products import CatalogueImport
from orders.imports.report import Outcome, Report, RowReport
from orders.imports.rows import Row, parse_row, rows_by_sku
from orders.imports.run import LOCK
from orders.imports.table import RawRow
from orders.models.translated import other_languages
from project.database.advisory_lock import try_lock_until_commit

EMPTIED = {"description": "description", "shelf": "shelf", "tax class": "tax_class"}
"""Columns that an empty text empties, and the rows' fields. In a table an empty cell says nothing:
people leave it so."""
NEVER_EMPTY = ("name", "category", "price", "variant of")
"""Columns in which an empty text would be a mistake: what is to stay is left out."""
LONGEST_WAIT = 2.0
POLL_SECONDS = 0.1


class CatalogueBusyError(Exception):
    """An import or another program writes the catalogue; nothing was written."""


def write_rows(cells: Sequence[dict[str, str]]) -> list[RowReport]:
    """Write the rows, given as cells by the columns of an import; return what came of each.

    In their order, and numbered from 0. A cell that is there but empty empties its field, where
    that is possible (`EMPTIED`, and each translation). A refused row changes nothing and stops no
    other. Raises CatalogueBusyError.
    """
    report = Report(dry_run=False)
    rows: list[Row] = []
    for number, row in enumerate(cells):
        try:
            _refuse_empty(row)
            rows.append(_with_emptied(parse_row(RawRow(number, row)), row))
        except RowRefusedError as error:
            report.rows.append(_refused(number, row.get("sku", "")[:40], *error.faults))
    numbers = rows_by_sku(rows)
    for again in [row for row in rows if len(numbers[row.sku]) > 1]:
        report.rows.append(_refused(again.number, again.sku, _("sku: is there more than once")))
    once = [row for row in rows if len(numbers[row.sku]) == 1]
    # Parents come before their variants.
    once.sort(key=lambda row: (row.variant_of is not None, row.sku))
    if once:
        _write(once, report)
    return sorted(report.rows, key=lambda row: row.number)


def _refuse_empty(cells: dict[str, str]) -> None:
    """Raise RowRefusedError for empty texts where none can be."""
    faults = [
        _("%(column)s: can't be empty; leave it out to keep it as it is") % {"column": column}
        for column in NEVER_EMPTY
        if _is_empty(cells, column)
    ]
    if faults:
        raise RowRefusedError(*faults)


def _with_emptied(row: Row, cells: dict[str, str]) -> Row:
    """Return the row with empty texts where the program sent one, instead of no value."""
    texts = {code: dict(known) for code, known in row.texts.items()}
    for code, _language in other_languages():
        for name in ("name", "description"):
            if _is_empty(cells, f"{name} {code}"):
                texts.setdefault(code, {})[name] = ""
    emptied = {name: "" for column, name in EMPTIED.items() if _is_empty(cells, column)}
    return replace(row, texts=texts, **emptied)  # type: ignore[arg-type]  # all of them are texts


def _is_empty(cells: dict[str, str], column: str) -> bool:
    return column in cells and not cells[column].strip()


def _write(rows: Sequence[Row], report: Report) -> None:
    """Write with the import's lock: two at once could create the same products."""
    until = time.monotonic() + LONGEST_WAIT
    while True:
        with transaction.atomic():
            if try_lock_until_commit(LOCK):
                CatalogueImport(report).import_rows([(row, []) for row in rows])
                return
        if time.monotonic() > until:
            raise CatalogueBusyError
        time.sleep(POLL_SECONDS)


def _refused(number: int, sku: str, *faults: str) -> RowReport:
    return RowReport(number, sku, Outcome.REFUSED, "; ".join(faults), faults)

"""One import, from its package to its report. The command and the desk job call it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from django.utils.translation import gettext as _

from orders.imports.errors import RowRefusedError
from orders.imports.package import Package, PackedFile
from orders.imports.pictures import (
    BY_CONTENT,
    Picture,
    Unusable,
    pictures_by_content,
    store_pictures,
)
from orders.imports.plan import Pictures
from orders.imports.products import CatalogueImport
from orders.imports.report import Outcome, Report, RowReport
from orders.imports.rows import PictureCell, Row, parse_row, rows_by_sku
from orders.imports.table import RawRow, read_table
from project.database.advisory_lock import try_lock

BATCH_ROWS = 100
LOCK = 0x1A9027  # one import writes at a time: two could create the same products
LOCK_POLL_SECONDS = 0.5

Progress = Callable[[int, int], None]
"""Called with (done, total) rows and pictures. An exception from it stops the import."""


def import_products(
    package: Package,
    *,
    dry_run: bool,
    report: Report | None = None,
    on_progress: Progress = lambda done, total: None,
) -> Report:
    """Import the package's rows into the catalogue, and report on each.

    Each batch of rows is one transaction. Imported batches stay if the import is stopped, and are
    in `report` by then; a repeat of the package doesn't change them. ImportRefusedError is raised
    before the first write.
    """
    report = Report(dry_run=dry_run) if report is None else report
    raw_rows = read_table(package.table)
    wanted = _with_files(_readable(raw_rows, report), package, report)
    total = len(raw_rows) + len(_names(wanted))
    done = len(report.rows)
    on_progress(done, total)
    with _alone(dry_run=dry_run, wait=lambda: on_progress(done, total)):
        catalogue = CatalogueImport(report)
        taken: dict[str, Picture | Unusable] = {}
        for start in range(0, len(wanted), BATCH_ROWS):
            batch = wanted[start : start + BATCH_ROWS]
            missing = {name: file for name, file in _names(batch).items() if name not in taken}
            # Closed if `on_progress` raises, so that the threads of a cancelled import stop.
            with closing(store_pictures(missing.values(), dry_run=dry_run)) as outcomes:
                for name, outcome in outcomes:
                    taken[name] = outcome
                    done += 1
                    on_progress(done, total)
            catalogue.import_rows(list(_with_pictures(batch, taken, report)))
            done += len(batch)
            on_progress(done, total)
    return report


def _readable(raw_rows: list[RawRow], report: Report) -> list[Row]:
    """Return the parsed rows; refuse invalid ones, and all rows of a SKU that is repeated."""
    rows = []
    for raw in raw_rows:
        try:
            rows.append(parse_row(raw))
        except RowRefusedError as error:
            _refuse(report, raw.number, raw.cells.get("sku", "")[:40], str(error))
    numbers = rows_by_sku(rows)
    for row in rows:
        if len(numbers[row.sku]) > 1:
            text = _("sku: is in the rows %(rows)s; keep one of them")
            listed = ", ".join(str(number) for number in numbers[row.sku][:10])
            _refuse(report, row.number, row.sku, text % {"rows": listed})
    return [row for row in rows if len(numbers[row.sku]) == 1]


Wanted = list[tuple[Row, list[tuple[PackedFile | None, PictureCell]]]]
"""No file: the cell names its picture by content."""


def _names(wanted: Wanted) -> dict[str, PackedFile]:
    """Return the files of the rows by their names."""
    return {file.name: file for _row, files in wanted for file, _cell in files if file}


def _with_files(rows: list[Row], package: Package, report: Report) -> Wanted:
    """Return the rows whose picture files all exist, with the files and their texts.

    Variants come last: their parents may be in the table, too.
    """
    wanted: Wanted = []
    for row in sorted(rows, key=lambda row: row.variant_of is not None):
        try:
            files = [
                (None if cell.file.startswith(BY_CONTENT) else package.find(cell.file), cell)
                for cell in row.pictures
            ]
        except RowRefusedError as error:
            _refuse(report, row.number, row.sku, _pictures_fault(error))
        else:
            wanted.append((row, files))
    return wanted


def _with_pictures(
    batch: Wanted, taken: dict[str, Picture | Unusable], report: Report
) -> Iterator[tuple[Row, Pictures]]:
    """Yield the rows whose pictures are all usable, with the pictures; refuse the other rows."""
    here = pictures_by_content({cell.file for _row, files in batch for _file, cell in files})
    for row, files in batch:
        pictures = []
        for file, cell in files:
            outcome = taken[file.name] if file else here[cell.file]
            if isinstance(outcome, Unusable):
                reason = f"“{cell.file}”: {outcome.reason}"
                _refuse(report, row.number, row.sku, _pictures_fault(reason))
                break
            pictures.append((outcome, cell))
        else:
            yield row, pictures


def _pictures_fault(reason: object) -> str:
    return f"pictures: {reason}"


def _refuse(report: Report, number: int, sku: str, reason: str) -> None:
    report.rows.append(RowReport(number, sku, Outcome.REFUSED, reason))


@contextmanager
def _alone(*, dry_run: bool, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the import's advisory lock; call `wait` repeatedly while another import has it.

    The lock belongs to the connection, so it also ends when the process is killed.
    """
    if dry_run:
        yield
        return
    while True:
        with try_lock(LOCK) as locked:
            if locked:
                yield
                return
        wait()
        time.sleep(LOCK_POLL_SECONDS)

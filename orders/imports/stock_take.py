"""A stock-take as a desk job: a counted list becomes movements of the kind `count`.

The dry run compares each counted number with the units on hand, and its report keeps what it
compared with. The job applies the report: it adds the differences that the dry run showed, so what
was ordered meanwhile stays ordered. A product that somebody received, corrected or counted
meanwhile is refused by name. Each row is a transaction of its own with a deterministic key: a job
that begins again changes nothing twice.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any
from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from orders.catalogue.ledger import with_on_hand
from orders.catalogue.stock import (
    CorrectedMeanwhileError,
    CorrectionKeyReusedError,
    StockTooLargeError,
    StockTooLowError,
    correct_stock,
)
from orders.desk_jobs.progress import kept_if_cancelled, progress_callback, store_rows
from orders.imports.errors import ImportRefusedError, RowRefusedError
from orders.imports.job import uploaded_package
from orders.imports.package import Package
from orders.imports.report import HEADER, Outcome
from orders.imports.table import RawRow, read_table
from orders.models import DeskJob, Product, Stock, StockMovement
from project.desk.spreadsheets import as_meant
from project.jobs.errors import PermanentError

COLUMNS = {
    "sku": ("sku", "article number", "货号", "商品编号"),
    "counted": ("counted", "count", "实盘", "盘点数量"),
    "name": ("name", "名称", "商品名称"),
    "on hand": ("on hand", "在库", "账面库存"),
    "last movement": ("last movement", "最近变动"),
}
"""The columns, and the names that each header may have; sku and counted are needed."""
MAX_UNITS = 1_000_000
MOST_DIGITS = 15
BATCH_ROWS = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Counted:
    """A row of the list, compared: what was counted, and with which units on hand."""

    number: int
    sku: str
    outcome: Outcome
    detail: str
    product_id: int = 0
    counted: int = 0
    on_hand: int = 0
    last: int = 0
    """The newest movement by hand that the count knew of."""

    @property
    def delta(self) -> int:
        return self.counted - self.on_hand


def work(job: DeskJob) -> dict[str, Any]:
    """Compare the uploaded list, or with `dry_run` false apply a dry run's report.

    `context`: `name`, `reason`, `dry_run`, and `rehearsed`, the dry run's id. Returns the counts.
    """
    dry_run = bool(job.context["dry_run"])
    rows: list[Counted] = []

    def store() -> None:
        lines = sorted(rows, key=lambda row: row.number)
        store_rows(job, (*HEADER, *_MORE), map(_line, lines), name="stock-take.csv")

    def result() -> dict[str, Any]:
        counts = Counter(row.outcome for row in rows)
        return {"dry_run": dry_run, **{outcome.value: counts[outcome] for outcome in Outcome}}

    try:
        with kept_if_cancelled(job, store, result), job.file.open("rb") as file:
            if dry_run:
                with uploaded_package(file, name=job.context["name"]) as package:
                    rows += compare(package)
            else:
                apply(
                    list(_read(TextIOWrapper(file, encoding="utf-8", newline=""))),
                    reason=job.context["reason"],
                    user_id=job.user_id,
                    key=UUID(job.context["rehearsed"]),
                    applied=rows,
                    on_progress=progress_callback(job),
                )
    except FileNotFoundError as error:
        raise PermanentError(_("The uploaded file is gone. Upload it again.")) from error
    except (ImportRefusedError, RowRefusedError) as error:
        raise PermanentError(str(error)) from error
    store()
    return result()


def compare(package: Package) -> list[Counted]:
    """Return the list's rows, compared with the units on hand; nothing is written."""
    raw_rows = read_table(package.table, known=COLUMNS)
    if "counted" not in raw_rows[0].cells:
        raise ImportRefusedError(_("There is no column “counted”."))
    seen = Counter(raw.cells.get("sku", "") for raw in raw_rows)
    rows: list[Counted] = []
    for start in range(0, len(raw_rows), BATCH_ROWS):
        batch = raw_rows[start : start + BATCH_ROWS]
        skus = [raw.cells.get("sku", "") for raw in batch]
        products = {
            product.sku: product for product in with_on_hand(Product.objects.filter(sku__in=skus))
        }
        for raw in batch:
            if not raw.cells.get("counted") and "counted" not in raw.doubts:
                continue  # not counted: a list may be filled shelf by shelf
            rows.append(_compared(raw, products, seen))
    if not rows:
        raise ImportRefusedError(_("No row has a number in the column “counted”."))
    return rows


def _compared(raw: RawRow, products: dict[str, Any], seen: Counter[str]) -> Counted:
    sku = raw.cells.get("sku", "")
    faults = [f"{column}: {doubt}" for column, doubt in raw.doubts.items()]
    product = products.get(sku)
    if product is None and "sku" not in raw.doubts:
        faults.append(_("sku: no product has it"))
    if seen[sku] > 1:
        faults.append(_("sku: is in the list more than once; keep one row"))
    counted = _number(raw, "counted", faults, most=MAX_UNITS)
    on_hand = _number(raw, "on hand", faults)
    last = _number(raw, "last movement", faults)
    if (on_hand is None) != (last is None):
        faults.append(_("on hand and last movement: the list has both or neither"))
    if faults or product is None or counted is None:
        return Counted(raw.number, sku[:40], Outcome.REFUSED, "; ".join(faults))
    if on_hand is None or last is None:
        on_hand, last = product.on_hand, product.last
    elif last > product.last:
        fault = _("last movement: isn't the product's; use the number of the count list")
        return Counted(raw.number, sku, Outcome.REFUSED, fault)
    elif last < product.last:
        said = CorrectedMeanwhileError(
            StockMovement.objects.select_related("user").get(pk=product.last)
        )
        return Counted(raw.number, sku, Outcome.REFUSED, str(said))
    detail = f"{on_hand} → {counted} ({counted - on_hand:+d})" if counted != on_hand else ""
    outcome = Outcome.CHANGED if detail else Outcome.UNCHANGED
    return Counted(raw.number, sku, outcome, detail, product.pk, counted, on_hand, last)


def _number(raw: RawRow, column: str, faults: list[str], *, most: int | None = None) -> int | None:
    text = raw.cells.get(column, "")
    if not text or column in raw.doubts:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    if is_number and (most is None or int(text) <= most):
        return int(text)
    fault = _("%(column)s: “%(text)s” isn't a whole number from 0 to %(limit)d")
    faults.append(fault % {"column": column, "text": text[:40], "limit": most or 10**MOST_DIGITS})
    return None


def apply(
    rows: list[Counted],
    *,
    reason: str,
    user_id: int | None,
    key: UUID,
    applied: list[Counted] | None = None,
    on_progress: Progress = lambda done, total: None,
) -> list[Counted]:
    """Write each difference as a movement; return the rows with what came of them.

    `key` makes the movements' keys: the same rows with the same key change the stock once. If it
    is stopped, `applied` has the rows until then.
    """
    applied = [] if applied is None else applied
    for done, row in enumerate(rows):
        on_progress(done, len(rows))
        applied.append(_applied(row, reason=reason, user_id=user_id, key=key))
    on_progress(len(rows), len(rows))
    return applied


def _applied(row: Counted, *, reason: str, user_id: int | None, key: UUID) -> Counted:
    if row.outcome != Outcome.CHANGED:
        return row
    try:
        correct_stock(
            product_id=row.product_id,
            delta=row.delta,
            reason=reason,
            user_id=user_id,
            key=uuid5(key, row.sku),
            counted_after=row.last,
            kind=StockMovement.Kind.COUNT,
        )
    except Stock.DoesNotExist:
        return _refused(row, _("sku: no product has it"))
    except (
        StockTooLowError,
        StockTooLargeError,
        CorrectedMeanwhileError,
        CorrectionKeyReusedError,
    ) as refusal:
        return _refused(row, str(refusal))
    return row


def _refused(row: Counted, reason: str) -> Counted:
    return Counted(row.number, row.sku, Outcome.REFUSED, reason)


_MORE = ("product", "counted", "on hand", "last movement")


def _line(row: Counted) -> tuple[Any, ...]:
    return (
        *(row.number, row.sku, row.outcome, row.detail),
        *(row.product_id, row.counted, row.on_hand, row.last),
    )


def _read(file: IO[str]) -> Iterator[Counted]:
    lines = csv.reader(file)
    next(lines)
    for number, sku, outcome, detail, *more in lines:
        known = (int(number), as_meant(sku), Outcome(outcome), as_meant(detail))
        yield Counted(*known, *map(int, more))

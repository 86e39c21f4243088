"""The report of an import: each row's outcome, counted, written as CSV and read for the desk."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, Any

from project.desk.spreadsheets import BOM, as_meant, write_csv

HEADER = ("row", "sku", "outcome", "detail")


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class RowReport:
    """The outcome of one row. `detail` lists its changes, or says why it was refused."""

    number: int
    sku: str
    outcome: Outcome
    detail: str = ""
    faults: tuple[str, ...] = ()
    """Why it was refused, one by one; `detail` has them together."""


@dataclass
class Report:
    """The changes that an import made, or with `dry_run` would make."""

    dry_run: bool
    rows: list[RowReport] = field(default_factory=list)
    categories: int = 0
    """The number of new categories."""
    pictures: int = 0
    """The number of pictures that were added to products."""

    def counts(self) -> dict[str, int]:
        """Return the number of rows by outcome, and the numbers of categories and pictures."""
        counted = Counter(row.outcome for row in self.rows)
        return {
            **{outcome.value: counted[outcome] for outcome in Outcome},
            "categories": self.categories,
            "pictures": self.pictures,
        }

    def lines(self) -> Iterator[tuple[Any, ...]]:
        """Yield the report's lines under HEADER, in the order of the table."""
        for row in sorted(self.rows, key=lambda row: row.number):
            yield row.number, row.sku, row.outcome, row.detail

    def write(self, file: IO[str]) -> None:
        """Write the report as CSV."""
        write_csv(file, HEADER, self.lines())


def read_report(file: IO[str]) -> Iterator[RowReport]:
    """Yield the rows of a report that `Report.write` wrote."""
    lines = csv.reader(file)
    header = next(lines, [])
    assert [cell.removeprefix(BOM) for cell in header][: len(HEADER)] == list(HEADER)
    for number, sku, outcome, detail, *_more in lines:
        yield RowReport(int(number), as_meant(sku), Outcome(outcome), as_meant(detail))

"""What became of each row: counted, written as CSV, and read back for the desk's table."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO

from project.desk.spreadsheets import BOM, as_meant, write_csv

HEADER = ("row", "sku", "outcome", "detail")


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class RowReport:
    """What became of one row. `detail`: what was changed, or why it was refused."""

    number: int
    sku: str
    outcome: Outcome
    detail: str = ""


@dataclass
class Report:
    """What an import did, or with `dry_run` would do."""

    dry_run: bool
    rows: list[RowReport] = field(default_factory=list)
    categories: int = 0
    """New ones."""
    pictures: int = 0
    """Added to products."""

    def counts(self) -> dict[str, int]:
        """Return how many rows had each outcome, and what they brought along."""
        counted = Counter(row.outcome for row in self.rows)
        return {
            **{outcome.value: counted[outcome] for outcome in Outcome},
            "categories": self.categories,
            "pictures": self.pictures,
        }

    def write(self, file: IO[str]) -> None:
        """Write the report as CSV, in the order of the table."""
        rows = sorted(self.rows, key=lambda row: row.number)
        write_csv(file, HEADER, ((row.number, row.sku, row.outcome, row.detail) for row in rows))


def read_report(file: IO[str]) -> Iterator[RowReport]:
    """Yield the rows of a report that `Report.write` wrote."""
    lines = csv.reader(file)
    header = next(lines, [])
    assert [cell.removeprefix(BOM) for cell in header] == list(HEADER)
    for number, sku, outcome, detail in lines:
        yield RowReport(int(number), as_meant(sku), Outcome(outcome), as_meant(detail))

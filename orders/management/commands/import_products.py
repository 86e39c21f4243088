"""`manage.py import_products FOLDER`: products from a table with pictures beside it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from orders.imports.errors import ImportRefusedError, RowRefusedError
from orders.imports.package import folder_package
from orders.imports.report import Outcome
from orders.imports.run import import_products

SHOWN = 20
"""The number of refused rows that are printed; the report has all of them."""


class Command(BaseCommand):
    help = (
        "Import the products of the one .csv or .xlsx in FOLDER, with the pictures beside it."
        " Importing again changes nothing. Ends with 1 if any row was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write a CSV, row by row")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # `disable=None`: no progress bar if the output isn't a terminal.
            with tqdm(disable=None, unit="") as bar:

                def show(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                package = folder_package(options["folder"])
                report = import_products(package, dry_run=options["dry_run"], on_progress=show)
        except (ImportRefusedError, RowRefusedError) as error:
            raise CommandError(str(error)) from error
        if options["report"]:
            with options["report"].open("w", encoding="utf-8", newline="") as file:
                report.write(file)
        if report.dry_run:
            self.stdout.write("A dry run: nothing was written.")
        for what, count in report.counts().items():
            self.stdout.write(f"{what:<12}{count:>7}")
        refused = [row for row in report.rows if row.outcome == Outcome.REFUSED]
        for row in sorted(refused, key=lambda row: row.number)[:SHOWN]:
            self.stderr.write(f"Row {row.number} ({row.sku}): {row.detail}")
        if refused:
            raise CommandError(f"{len(refused)} rows were refused.")

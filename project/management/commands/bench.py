"""`manage.py bench NAME`: measure, compare, and exit 1 below target."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from project.benchmarks import Report, benchmarks


class Command(BaseCommand):
    help = "Run a benchmark on a scratch database; exit 1 if it misses a target."

    def add_arguments(self, parser: CommandParser) -> None:
        known = benchmarks()
        parser.add_argument(
            "name",
            choices=sorted(known),
            help="; ".join(f"{name}: {known[name].summary}" for name in sorted(known)),
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        report = benchmarks()[options["name"]].run()
        if options["json"]:
            self.stdout.write(json.dumps({"rows": report.rows, "ratios": report.ratios}))
        else:
            self._print(report)
        for sentence in report.missed:
            self.stderr.write(self.style.ERROR(f"below target: {sentence}"))
        if report.missed:
            sys.exit(1)

    def _print(self, report: Report) -> None:
        columns = list(report.rows[0])
        cells = [columns, *([str(row[name]) for name in columns] for row in report.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        for row in cells:
            self.stdout.write("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)))
        self.stdout.write("")
        for name, ratio in report.ratios.items():
            self.stdout.write(f"{name}: {ratio:g}")

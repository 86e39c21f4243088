"""`manage.py bench NAME`: measure, compare, and exit 1 below target."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from project.benchmarks import Report, benchmarks

MOST_ORDERS = 10_000_000
MOST_MINUTES = 24 * 60


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
        parser.add_argument(
            "--sizes",
            type=_sizes,
            metavar="N,N",
            help="growth: orders; jobs: jobs, finished jobs, seconds; partitions: messages;"
            " plan: orders/s; processes: their numbers",
        )
        parser.add_argument(
            "--soak",
            type=_minutes,
            metavar="MINUTES",
            help="placement: how long hot baskets are placed to find deadlocks",
        )
        parser.add_argument(
            "--against",
            type=_worktree,
            metavar="WORKTREE",
            help="http, placement: the checkout of the build to compare with, running beside it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        benchmark = benchmarks()[options["name"]]
        if options["sizes"] and not benchmark.sizes:
            raise CommandError(f"{benchmark.name} has no sizes.")
        sizes = options["sizes"] or benchmark.sizes
        if options["against"] and not benchmark.compares_builds:
            raise CommandError(f"{benchmark.name} compares no builds.")
        if options["soak"] and not benchmark.soak_minutes:
            raise CommandError(f"{benchmark.name} has no soak.")
        minutes = options["soak"] or benchmark.soak_minutes
        arguments: list[Any] = [each for each in (sizes, minutes) if each]
        if benchmark.compares_builds:
            arguments.append(options["against"])
        # Unwound like any other exit, or its processes and its scratch database would stay.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        report = benchmark.run(*arguments)
        if options["json"]:
            figures = {"rows": report.rows, "ratios": report.ratios, "targets": report.targets}
            self.stdout.write(json.dumps(figures))
        else:
            self._print(report)
        for sentence in report.missed:
            self.stderr.write(self.style.ERROR(f"target missed: {sentence}"))
        if report.missed:
            sys.exit(1)

    def _print(self, report: Report) -> None:
        columns = list(dict.fromkeys(name for row in report.rows for name in row))
        cells = [list(columns)]
        cells += ([_cell(row.get(name)) for name in columns] for row in report.rows)
        if any(row.get("what") in report.targets for row in report.rows):
            cells[0] = [*columns, "at most"]
            for figures, line in zip(report.rows, cells[1:], strict=True):
                line.append(_in_words(report.targets.get(figures["what"], {})))
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        for row in cells:
            self.stdout.write("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)))
        self.stdout.write("")
        for name, ratio in report.ratios.items():
            target = _in_words(report.targets.get(name, {}))
            self.stdout.write(f"{name}: {ratio:g}" + (f" ({target})" if target else ""))


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _in_words(target: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in target.items())


def _worktree(text: str) -> Path:
    """Return the folder of a checkout. Raises ValueError, which the parser reports."""
    path = Path(text).resolve()
    if not (path / "manage.py").is_file():
        raise ValueError
    return path


def _minutes(text: str) -> float:
    """Return a number of minutes. Raises ValueError, which the parser reports."""
    minutes = float(text)
    if not 0 < minutes <= MOST_MINUTES:
        raise ValueError
    return minutes


def _sizes(text: str) -> tuple[int, ...]:
    """Return the numbers of `10000,100000`. Raises ValueError, which the parser reports."""
    sizes = tuple(int(part) for part in text.split(","))
    if not all(0 < size <= MOST_ORDERS for size in sizes):
        raise ValueError
    return sizes

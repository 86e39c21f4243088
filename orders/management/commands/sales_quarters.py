"""`manage.py sales_quarters`: count the overview's sales anew from the orders."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders.reports.quarters import KEEP, count_anew


class Command(BaseCommand):
    help = "Count the sales of each quarter of an hour anew, and say how many rows were wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=KEEP.days, help="so far back (%(default)s)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        counted, wrong = count_anew(days=days)
        self.stdout.write(f"{counted} quarters counted, {wrong} corrected.")

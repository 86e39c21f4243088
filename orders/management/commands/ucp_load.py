"""`manage.py ucp_load FOLDER`: load products, discounts, rates and instruments from CSV files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.agents.loading import LoadError, StockMovedError, load


class Command(BaseCommand):
    help = (
        "Load a folder of CSV files as the UCP conformance suite has them: products.csv,"
        " inventory.csv, discounts.csv, shipping_rates.csv, payment_instruments.csv."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load(options["folder"])
        except (LoadError, StockMovedError, OSError) as error:
            raise CommandError(str(error)) from error
        for name, count in loaded.counts.items():
            self.stdout.write(f"{name}: {count}")
        for note in loaded.skipped:
            self.stdout.write(f"not loaded: {note}")

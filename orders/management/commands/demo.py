"""`manage.py demo`: fill an empty shop with the demo products."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

SHOWN_SECONDS = 5.0
LONGEST_WAIT = 120.0
POLL_SECONDS = 0.3


class Command(BaseCommand):
    help = (
        "Fill an empty shop with 12 products in 3 categories; a shop with products is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait",
            action="store_true",
            help="also wait until the media worker has made all pictures, two minutes at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["wait"]:
            self._wait_for_pictures()
        else:
            self._fill()

    def _fill(self) -> None:
        from orders.demo import fill_empty_shop  # loads the drawing libraries

        filled = fill_empty_shop()
        if filled is None:
            self.stdout.write("The shop has products already: nothing to do.")
            return
        self.stdout.write(
            f"Made {filled.products} products in {filled.categories} categories,"
            f" and queued the renditions of {filled.pictures} pictures."
        )

    def _wait_for_pictures(self) -> None:
        from orders.demo.pictures import count_pictures

        begin = shown = time.monotonic()
        while (pictures := count_pictures()).unmade:
            now = time.monotonic()
            if now - begin > LONGEST_WAIT:
                self.stdout.write("The pictures take long: the shop shows each when it is made.")
                return
            if now - shown >= SHOWN_SECONDS:
                shown = now
                self.stdout.write(f"{pictures.made} of {pictures.all} pictures are made.")
            time.sleep(POLL_SECONDS)
        self.stdout.write(f"All {pictures.all} pictures are made.")

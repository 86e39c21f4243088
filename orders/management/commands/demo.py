"""`manage.py demo`: fill an empty shop with the demo products, or any shop with demo orders."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

SHOWN_SECONDS = 5.0
LONGEST_WAIT = 120.0
POLL_SECONDS = 0.3
MOST_ORDERS = 10_000_000
BUSY = "Another process fills the shop with demo orders, or removes them: wait for its end."


class Command(BaseCommand):
    help = (
        "Fill an empty shop with 13 products in 3 categories; a shop with products is left alone."
        " With --orders: fill any shop with two years of demo orders; --remove takes them away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait",
            action="store_true",
            help="also wait until the media worker has made all pictures, two minutes at most",
        )
        parser.add_argument(
            "--orders",
            type=int,
            metavar="N",
            help="add N orders of two years, with shoppers and products of their own",
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed and N make the same orders"
        )
        parser.add_argument(
            "--remove", action="store_true", help="remove the demo orders, whole or half filled"
        )
        parser.add_argument(
            "--in-production",
            action="store_true",
            help="allow --orders and --remove in a shop that isn't a local one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["orders"] is not None or options["remove"]:
            self._refuse_in_production(allowed=options["in_production"])
        if options["remove"]:
            self._remove_orders()
        elif options["orders"] is not None:
            self._fill_orders(orders=options["orders"], seed=options["seed"])
        elif options["wait"]:
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

    def _refuse_in_production(self, *, allowed: bool) -> None:
        if not (allowed or settings.TANDEM_LOCAL or settings.DEBUG):
            raise CommandError(
                "This shop isn't a local one: demo orders would stand among those of its"
                " customers. If you mean it, add --in-production."
            )

    def _fill_orders(self, *, orders: int, seed: int) -> None:
        from orders.demo.orders import AlreadyFilled, InUse, fill_orders

        if not 1 <= orders <= MOST_ORDERS:
            raise CommandError(f"--orders takes 1 to {MOST_ORDERS:,}.")
        try:
            filled = fill_orders(orders=orders, seed=seed, say=self.stdout.write)
        except AlreadyFilled:
            raise CommandError(
                "The shop has demo orders, or a part of them: `manage.py demo --remove` first."
            ) from None
        except InUse:
            raise CommandError(BUSY) from None
        self.stdout.write(
            f"Made {filled.orders:,} orders in {filled.seconds:,.0f} s, with {filled.products:,}"
            f" products and {filled.accounts:,} accounts. Their messages are not sent."
        )

    def _remove_orders(self) -> None:
        from orders.demo.orders import InUse, remove_orders

        try:
            removed = remove_orders(say=self.stdout.write)
        except InUse:
            raise CommandError(BUSY) from None
        if removed is None:
            self.stdout.write("The shop has no demo orders: nothing to do.")
            return
        self.stdout.write(f"Removed {removed:,} demo orders and all that was made for them.")

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

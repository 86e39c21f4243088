"""`manage.py demo`: fill an empty shop with the demo products."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Fill an empty shop with 12 products in 3 categories; a shop with products is left alone."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        from orders.demo import fill_empty_shop  # loads the drawing libraries

        filled = fill_empty_shop()
        if filled is None:
            self.stdout.write("The shop has products already: nothing to do.")
            return
        self.stdout.write(
            f"Made {filled.products} products in {filled.categories} categories,"
            f" and queued the renditions of {filled.pictures} pictures."
        )

"""A shop's data from a folder of CSV files, in the shape of the official suite's test data.

Products with their stock, discounts as vouchers, shipping rates as the rows of the carrier `rates`,
and in a local run the simulated bank's instruments. `suite_folder` reads and checks all of it
first. Then it is written in one transaction, and after it the corrections of stock, each of which
has its own; so a repeat ends what was cut off. A repeat sets what a file says and adds what is new;
nothing is deleted. Amounts are in minor units. A column `category` is ours: of a product, and
of a discount that is for its products only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from orders.agents.suite_folder import (
    Folder,
    InstrumentRow,
    ProductRow,
    RateRow,
    VoucherRow,
    read_folder,
)
from orders.catalogue.products import create_product
from orders.catalogue.stock import StockTooLowError, correct_stock
from orders.imports.products import free_slug
from orders.models import AgentInstrument, Category, DeliveryRate, Product, Stock, Voucher

REASON = "ucp_load"
MOST_TOLD = 50


@dataclass
class LoadError(Exception):
    """The folder can't be loaded, and nothing of it is."""

    faults: Sequence[str]

    def __str__(self) -> str:
        told, left = self.faults[:MOST_TOLD], len(self.faults) - MOST_TOLD
        more = [f"… and {left} more."] if left > 0 else []
        return "\n".join(["Nothing was loaded.", *told, *more])


class StockMovedError(Exception):
    """Everything is loaded but the stock of some products; a repeat ends it."""


@dataclass
class Loaded:
    counts: dict[str, int] = field(default_factory=dict)
    """Rows by what they are."""
    skipped: list[str] = field(default_factory=list)
    """What of the folder isn't loaded, with the reason."""


def load(path: Path) -> Loaded:
    """Load the folder's files. Raises LoadError, StockMovedError and OSError."""
    folder = read_folder(path, has_instruments=settings.TANDEM_LOCAL)
    if folder.faults:
        raise LoadError(folder.faults)
    with transaction.atomic():
        for product in folder.products:
            _product(product, folder.units.get(product.sku, 0))
        for voucher in folder.vouchers:
            _voucher(voucher)
        for rate in folder.rates:
            _rate(rate)
        for instrument in folder.instruments:
            _instrument(instrument)
    for sku, units in folder.units.items():
        _set_stock(sku, units)
    return Loaded(_counts(folder), _skipped(path, folder))


_NOT_LOADED = {
    "promotions.csv": "the shop has no discounts without a code",
    "customers.csv": "accounts are made by their people",
    "addresses.csv": "accounts are made by their people",
}


def _counts(folder: Folder) -> dict[str, int]:
    counts = {
        "products": len(folder.products),
        "discounts": len(folder.vouchers),
        "rates": len(folder.rates),
        "instruments": len(folder.instruments),
    }
    return {name: count for name, count in counts.items() if count}


def _skipped(path: Path, folder: Folder) -> list[str]:
    skipped = []
    if unnamed := len(folder.products) - len(folder.units):
        skipped.append(f"stock of {unnamed} products, which inventory.csv doesn't name: it stays")
    if not settings.TANDEM_LOCAL:
        skipped.append("payment_instruments.csv: the simulated bank is of a local run only")
    skipped += [f"{name}: {why}" for name, why in _NOT_LOADED.items() if (path / name).is_file()]
    if folder.rates and not settings.DELIVERY_TABLE:
        skipped.append("rates are shown once DELIVERY_TABLE is on")
    return skipped


def _product(row: ProductRow, units: int) -> None:
    """Make the product with so many units, or let the one that is there have name and price."""
    found = Product.objects.filter(sku=row.sku)
    if found.update(name=row.name, price=row.price, is_active=True):
        return
    create_product(
        sku=row.sku,
        name=row.name,
        slug=free_slug(Product, slugify(f"{row.name}-{row.sku}"), slugify(row.sku)),
        category=_category(row.category),
        price=row.price,
        stock=units,
    )


def _set_stock(sku: str, units: int) -> None:
    stock = Stock.objects.get(product__sku=sku)
    if stock.available == units:
        return
    try:
        correct_stock(
            product_id=stock.pk, delta=units - stock.available, reason=REASON, user_id=None
        )
    except StockTooLowError as error:  # sold in this moment
        raise StockMovedError(f"{sku}: {error} Repeat the command.") from error


def _voucher(row: VoucherRow) -> None:
    category = _category(row.category) if row.category else None
    Voucher.objects.update_or_create(
        code=row.code,
        defaults={"kind": row.kind, "value": row.value, "category": category, "is_active": True},
    )


def _category(name: str) -> Category:
    found = Category.objects.filter(name=name).first()
    slug = slugify(name)
    if found is None and slug:
        found = Category.objects.filter(slug=slug).first()
    if found is not None:
        return found
    return Category.objects.create(name=name, slug=free_slug(Category, slug, "category"))


def _rate(row: RateRow) -> None:
    others = DeliveryRate.objects.filter(country=row.country, service=row.service)
    others.exclude(code=row.code).delete()
    DeliveryRate.objects.update_or_create(
        code=row.code,
        defaults={
            "country": row.country,
            "service": row.service,
            "label": row.label,
            "price": row.price,
        },
    )


def _instrument(row: InstrumentRow) -> None:
    AgentInstrument.objects.update_or_create(
        token=row.token,
        defaults={
            "name": row.name,
            "kind": row.kind,
            "declines": row.token.startswith("fail"),
        },
    )

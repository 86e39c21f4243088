"""A shop's data from a folder of CSV files, in the shape of the official suite's test data.

Products with their stock, discounts as vouchers, shipping rates as the rows of the carrier `rates`,
and in a local run the simulated bank's instruments. A repeat sets what a file says and adds what is
new; nothing is deleted. Amounts are in minor units. A column `category` is ours: of a product, and
of a discount that is for its products only.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from orders.agents.envelope import major
from orders.catalogue.products import create_product
from orders.catalogue.stock import correct_stock
from orders.models import AgentInstrument, Category, DeliveryRate, Product, Stock, Voucher
from orders.vouchers.discount import plain_code

CATEGORY = "UCP"
REASON = "ucp_load"
Row = dict[str, str]


class LoadError(ValueError):
    """A file can't be loaded; the text says which line and why. Files before it are loaded."""


@dataclass
class Loaded:
    counts: dict[str, int] = field(default_factory=dict)
    """Rows by what they are."""
    skipped: list[str] = field(default_factory=list)
    """What of the folder isn't loaded, with the reason."""


def load(folder: Path) -> Loaded:
    """Load the folder's files. Raises LoadError."""
    if not (folder / "products.csv").is_file():
        raise LoadError(f"{folder} has no products.csv.")
    loaded = Loaded()
    units = {row["product_id"]: row["quantity"] for row in _rows(folder / "inventory.csv")}
    _each(loaded, folder / "products.csv", "products", lambda row: _product(row, units))
    _each(loaded, folder / "discounts.csv", "discounts", _voucher)
    _each(loaded, folder / "shipping_rates.csv", "rates", _rate)
    if settings.TANDEM_LOCAL:
        _each(loaded, folder / "payment_instruments.csv", "instruments", _instrument)
    else:
        loaded.skipped.append("payment_instruments.csv: the simulated bank is of a local run only")
    for name, why in _NOT_LOADED.items():
        if (folder / name).is_file():
            loaded.skipped.append(f"{name}: {why}")
    if loaded.counts.get("rates") and not settings.DELIVERY_TABLE:
        loaded.skipped.append("rates are shown once DELIVERY_TABLE is on")
    return loaded


_NOT_LOADED = {
    "promotions.csv": "the shop has no discounts without a code",
    "customers.csv": "accounts are made by their people",
    "addresses.csv": "accounts are made by their people",
}


def _each(loaded: Loaded, file: Path, name: str, take: Callable[[Row], None]) -> None:
    for number, row in enumerate(_rows(file), 2):
        try:
            take(row)
        except (KeyError, ValueError, InvalidOperation) as error:
            raise LoadError(f"{file.name}, line {number}: {error!r}") from error
        loaded.counts[name] = loaded.counts.get(name, 0) + 1


def _rows(file: Path) -> Iterator[Row]:
    if not file.is_file():
        return
    with file.open(newline="", encoding="utf-8-sig") as text:
        for row in csv.DictReader(text):
            yield {name.strip(): (value or "").strip() for name, value in row.items() if name}


def _product(row: Row, units: dict[str, str]) -> None:
    sku, name, price = row["id"], row["title"], major(int(row["price"]))
    stock = int(units.get(sku, "0"))
    product = Product.objects.filter(sku=sku).first()
    if product is None:
        create_product(
            sku=sku,
            name=name,
            slug=slugify(f"{name}-{sku}")[:200],
            category=_category(row.get("category") or CATEGORY),
            price=price,
            stock=stock,
        )
        return
    Product.objects.filter(pk=product.pk).update(name=name, price=price, is_active=True)
    available = Stock.objects.get(pk=product.pk).available
    if stock != available:
        correct_stock(product_id=product.pk, delta=stock - available, reason=REASON, user_id=None)


def _voucher(row: Row) -> None:
    kinds = {
        "percentage": (Voucher.Kind.PERCENT, Decimal(row["value"])),
        "fixed_amount": (Voucher.Kind.AMOUNT, major(int(row["value"]))),
    }
    kind, value = kinds[row["type"]]
    category = _category(row["category"]) if row.get("category") else None
    Voucher.objects.update_or_create(
        code=plain_code(row["code"]),
        defaults={"kind": kind, "value": value, "category": category, "is_active": True},
    )


def _category(name: str) -> Category:
    category, _is_new = Category.objects.get_or_create(slug=slugify(name), defaults={"name": name})
    return category


def _rate(row: Row) -> None:
    country = "" if row["country_code"] == "default" else row["country_code"]
    with transaction.atomic():
        rates = DeliveryRate.objects.filter(country=country, service=row["service_level"])
        rates.exclude(code=row["id"]).delete()
        DeliveryRate.objects.update_or_create(
            code=row["id"],
            defaults={
                "country": country,
                "service": row["service_level"],
                "label": row["title"],
                "price": major(int(row["price"])),
            },
        )


def _instrument(row: Row) -> None:
    AgentInstrument.objects.update_or_create(
        token=row["token"],
        defaults={
            "name": f"{row['brand']} {row['last_digits']}",
            "kind": row["type"],
            "declines": row["token"].startswith("fail"),
        },
    )

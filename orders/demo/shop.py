"""Filling an empty shop: draw the pictures, store them, then write all rows in one transaction."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyvips
from django.core.files.base import ContentFile
from django.db import transaction

from media_jobs.assets import store_asset
from media_jobs.models import Asset
from orders.catalogue.products import add_media, create_product
from orders.catalogue.variants import create_variant
from orders.demo import translations
from orders.demo.products import CATEGORIES, DemoProduct
from orders.demo.translations import (
    texts_of,
    texts_of_options,
    texts_of_picture,
    texts_of_product,
)
from orders.models import Category, Product, TaxRate
from project.database.advisory_lock import lock_until_commit

DRAWINGS = Path(__file__).parent / "drawings"
PICTURE_SIDE = 1600  # pixels; the size of a usual product photo
TAX_RATES = {"DE": 19, "AT": 20, "FR": 20}
"""The usual ones, in per cent."""
LOCK = 0x7A0DE  # two starts of the same shop must not fill it twice


@dataclass(frozen=True)
class Filled:
    """The created rows."""

    categories: int
    products: int
    pictures: int


def fill_empty_shop() -> Filled | None:
    """Create the demo shop; None, and nothing is created, if the shop has a product already.

    All rows are written in one transaction, so a demo shop is never incomplete.
    """
    if Product.objects.exists():
        return None
    pictures = {
        drawing: _stored_drawing(drawing, name=product.name)
        for category in CATEGORIES
        for product in category.products
        for drawing in sorted(product.drawings)
    }
    with transaction.atomic():
        lock_until_commit(LOCK)
        if Product.objects.exists():
            return None
        return _write_rows(pictures)


def _stored_drawing(drawing: str, *, name: str) -> Asset:
    """Return the drawing as an asset: a PNG, because an SVG can carry scripts and is refused."""
    picture = pyvips.Image.thumbnail(str(DRAWINGS / f"{drawing}.svg"), PICTURE_SIDE)
    data = picture.flatten().pngsave_buffer(compression=6, keep="none")
    return store_asset(ContentFile(data), name=name)


def _write_rows(pictures: dict[str, Asset]) -> Filled:
    for country, rate in TAX_RATES.items():
        TaxRate.objects.get_or_create(country=country, tax_class=None, defaults={"rate": rate})
    products = 0
    for position, demo_category in enumerate(CATEGORIES):
        category, _created = Category.objects.get_or_create(
            slug=demo_category.slug,
            defaults={
                "name": demo_category.name,
                "position": position,
                "texts": texts_of(name=translations.CATEGORIES[demo_category.slug]),
            },
        )
        for demo in demo_category.products:
            product = create_product(
                sku=demo.sku,
                name=demo.name,
                slug=demo.slug,
                category=category,
                price=demo.price,
                description=demo.description,
                personalisation=demo.personalisation,
                stock=demo.stock,
                weight=demo.weight,
                options=demo.options,
                texts=_texts(demo),
            )
            if demo.drawing:
                _add_picture(product, demo.drawing, demo.alt, pictures, sku=demo.sku)
            for variant in demo.variants:
                made = create_variant(
                    parent_id=product.pk,
                    options=variant.options,
                    sku=variant.sku,
                    price=demo.price,
                    stock=variant.stock,
                    texts=texts_of(options=texts_of_options(variant.options)),
                )
                _add_picture(made, variant.drawing, variant.alt, pictures, sku=variant.sku)
            products += 1
    return Filled(categories=len(CATEGORIES), products=products, pictures=len(pictures))


def _texts(demo: DemoProduct) -> dict[str, dict[str, Any]]:
    texts = texts_of_product(demo.sku)
    if demo.options:
        texts[translations.LANGUAGE]["options"] = texts_of_options(demo.options)
    return texts


def _add_picture(
    product: Product, drawing: str, alt: str, pictures: dict[str, Asset], *, sku: str
) -> None:
    texts = texts_of_picture(sku, drawing)
    add_media(product=product, asset=pictures[drawing], alt=alt, texts=texts)

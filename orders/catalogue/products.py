"""Writing the catalogue: products with their counters, media with their renditions' jobs.

Desk, import and demo call it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from media_jobs.models import Asset
from media_jobs.outbox import queue_renditions
from notifications.webhooks.outbox import Event, tell
from orders.models import Category, Popularity, Product, ProductMedia, ProductSales, Stock, TaxClass


def create_product(
    *,
    sku: str,
    name: str,
    slug: str,
    category: Category,
    price: Decimal,
    description: str = "",
    is_active: bool = True,
    personalisation: str = Product.Personalisation.NONE,
    requires_upload: bool = False,
    stock: int = 0,
    low_stock: int | None = None,
    shelf: str = "",
    weight: int | None = None,
    tax_class: TaxClass | None = None,
    variant_of: Product | None = None,
    options: Sequence[str] = (),
    position: int = 0,
    texts: dict[str, dict[str, Any]] | None = None,
) -> Product:
    """Create the product with its counters of stock (`initial` of its ledger) and sales.

    `weight` is in grams; None: it isn't known. Without a `tax_class` its price includes the usual
    rate. `options`: what is chosen of its variants; a variant itself is made by `create_variant`.
    `texts` are its translations. Raises IntegrityError if the SKU or the slug is taken.
    """
    with transaction.atomic():
        product = Product.objects.create(
            sku=sku,
            name=name,
            slug=slug,
            category=category,
            price=price,
            description=description,
            is_active=is_active,
            low_stock=low_stock,
            shelf=shelf,
            weight=weight,
            tax_class=tax_class,
            personalisation=personalisation,
            requires_upload=requires_upload,
            variant_of=variant_of,
            options=list(options),
            position=position,
            texts=texts or {},
        )
        Stock.objects.create(product=product, initial=stock, available=stock)
        ProductSales.objects.create(product=product)
        Popularity.objects.create(product=product)
        tell("product.changed", lambda: _new_product(product))
    return product


def _new_product(product: Product) -> Event:
    """Return the event of a new product; of changed ones the database tells (docs/webhooks.md)."""
    thin = {"sku": product.sku}
    full = {
        **thin,
        "name": product.name,
        "slug": product.slug,
        "price": str(product.price),
        "is_active": product.is_active,
        "changed": ["created"],
    }
    return Event("product.changed", full=full, thin=thin, skus=frozenset({product.sku}))


def add_media(
    *, product: Product, asset: Asset, alt: str = "", texts: dict[str, dict[str, Any]] | None = None
) -> ProductMedia:
    """Add the asset as the product's last picture or video, and queue its renditions.

    `alt` is the text that screen readers read, in the shop's own language; `texts` are its
    translations.
    """
    with transaction.atomic():
        last = product.media.aggregate(last=Max("position"))["last"]
        medium = ProductMedia.objects.create(
            product=product,
            asset=asset,
            alt=alt,
            texts=texts or {},
            position=0 if last is None else last + 1,
        )
        queue_renditions(asset)
    return medium


def replace_media(medium: ProductMedia, asset: Asset) -> None:
    """Replace the medium's asset as soon as the new renditions exist; queue them.

    The caller saves the medium, together with its other changes.
    """
    medium.asset = medium.shown
    medium.replacement = None if asset == medium.asset else asset
    queue_renditions(asset)

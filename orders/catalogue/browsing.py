"""The shopper's view of the catalogue: products on sale with the data that pages show."""

from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from orders.models import Category, Product
from orders.models.product import ON_SALE, PREFETCH_MEDIA

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Stocked(TypedDict):
        available: int
        few_at: int

    ProductOnSale = WithAnnotations[Product, Stocked]


def products_on_sale() -> "QuerySet[ProductOnSale]":
    """Return the active products, each with `available`, its category and its media.

    The pages don't tell how many units there are. With `few_at` or fewer they say “few left”.
    It takes five queries, or eight if a medium is being replaced.
    """
    return (
        Product.objects.filter(is_active=True)
        .select_related("category")
        .annotate(
            available=Coalesce(F("stock__available"), 0),
            few_at=Coalesce("low_stock", settings.LOW_STOCK_UNITS),
        )
        .prefetch_related(*PREFETCH_MEDIA)
    )


def categories_on_sale() -> QuerySet[Category]:
    """Return the categories with a product on sale, in the shop's order."""
    return Category.objects.filter(Exists(Product.objects.filter(ON_SALE, category=OuterRef("pk"))))

"""The shopper's view of the catalogue: products on sale with the data that pages show."""

from typing import TYPE_CHECKING, Any, TypedDict

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, JSONObject

from orders.models import Category, Product, ProductMedia
from orders.models.product import ON_SALE

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Stocked(TypedDict):
        available: int
        few_at: int
        media_rows: list[dict[str, Any]]

    ProductOnSale = WithAnnotations[Product, Stocked]

_SHOWN = Q(replacement__published__isnull=False)
"""`ProductMedia.shown`, in SQL: the replacement once it is made."""
_MEDIA = ArraySubquery(
    ProductMedia.objects.filter(product=OuterRef("pk"))
    .order_by("position", "pk")
    .values(
        row=JSONObject(
            alt="alt",
            content_type=Case(
                When(_SHOWN, then="replacement__content_type"), default="asset__content_type"
            ),
            published=Coalesce("replacement__published", "asset__published"),
        )
    )
)
"""The product's media: what `Product.shown_media` reads."""


def products_on_sale() -> "QuerySet[ProductOnSale]":
    """Return the active products, each with `available`, its category and its media.

    The pages don't tell how many units there are. With `few_at` or fewer they say “few left”.
    It is one query, however many media and renditions there are.
    """
    return (
        Product.objects.filter(is_active=True)
        .select_related("category")
        .annotate(
            available=Coalesce(F("stock__available"), 0),
            few_at=Coalesce("low_stock", settings.LOW_STOCK_UNITS),
            media_rows=_MEDIA,
        )
    )


def categories_on_sale() -> QuerySet[Category]:
    """Return the categories with a product on sale, in the shop's order."""
    return Category.objects.filter(Exists(Product.objects.filter(ON_SALE, category=OuterRef("pk"))))

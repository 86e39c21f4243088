"""The shopper's view of the catalogue: products on sale with the data that pages show."""

from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from orders.models import Product
from orders.models.product import PREFETCH_MEDIA

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Stocked(TypedDict):
        available: int
        few_at: int

    ProductOnSale = WithAnnotations[Product, Stocked]

MAX_SEARCH_LENGTH = 100


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


def clean_search(text: str) -> str:
    """Return the search text without NUL, which PostgreSQL refuses, and cut to a safe length."""
    return " ".join(text.replace("\x00", " ").split())[:MAX_SEARCH_LENGTH].strip()


def matching(search: str) -> Q:
    """Return the filter for products with every word of the search in any of their texts."""
    found = Q()
    for word in search.split():
        found &= (
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(category__name__icontains=word)
            | Q(sku__iexact=word)
        )
    return found

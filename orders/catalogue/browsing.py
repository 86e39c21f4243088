"""What shoppers can see of the catalogue, with everything that a page shows of it."""

from typing import TYPE_CHECKING, TypedDict

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from orders.models import Product
from orders.models.product import PREFETCH_MEDIA

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Stocked(TypedDict):
        available: int

    ProductOnSale = WithAnnotations[Product, Stocked]

MAX_SEARCH_LENGTH = 100
FEW = 5
"""From here on down, a page says how many are left."""


def products_on_sale() -> "QuerySet[ProductOnSale]":
    """Active products, each with `available`, its category and its media: five queries (eight
    where something is being replaced).
    """
    return (
        Product.objects.filter(is_active=True)
        .select_related("category")
        .annotate(available=Coalesce(F("stock__available"), 0))
        .prefetch_related(*PREFETCH_MEDIA)
    )


def clean_search(text: str) -> str:
    """Return what can be searched for: no NUL, which PostgreSQL refuses, and not too long."""
    return " ".join(text.replace("\x00", " ").split())[:MAX_SEARCH_LENGTH].strip()


def matching(search: str) -> Q:
    """Products that mention every word of the search, in any of their texts."""
    found = Q()
    for word in search.split():
        found &= (
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(category__name__icontains=word)
            | Q(sku__iexact=word)
        )
    return found

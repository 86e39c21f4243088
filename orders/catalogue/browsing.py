"""The shopper's view of the catalogue: products on sale with the data that pages show."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    DecimalField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce, JSONObject

from orders.models import Category, Product, ProductMedia
from orders.models.product import IS_LISTED, IS_PARENT, LISTED, ON_SALE, ORDERABLE

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Stocked(TypedDict):
        available: int
        dearest: Decimal
        few_at: int
        media_rows: list[dict[str, Any]]

    ProductOnSale = WithAnnotations[Product, Stocked]

_SHOWN = Q(replacement__published__isnull=False)
"""`ProductMedia.shown`, in SQL: the replacement once it is made."""
_ROW = JSONObject(
    asset=Case(When(_SHOWN, then="replacement"), default="asset"),
    alt="alt",
    texts="texts",
    content_type=Case(
        When(_SHOWN, then="replacement__content_type"), default="asset__content_type"
    ),
    published=Coalesce("replacement__published", "asset__published"),
)
_NOT_OWN = Case(When(product=OuterRef("pk"), then=0), default=1)
_PARENT_AND_VARIANTS = Product.objects.filter(
    Q(pk=OuterRef(OuterRef("pk"))) | Q(ON_SALE, variant_of=OuterRef(OuterRef("pk")))
)
_MEDIA = Case(
    When(
        IS_PARENT,
        then=ArraySubquery(
            ProductMedia.objects.filter(product__in=_PARENT_AND_VARIANTS.order_by().values("pk"))
            .annotate(not_own=_NOT_OWN)
            .order_by("not_own", "product__position", "product_id", "position", "pk")
            .values(row=_ROW)
        ),
    ),
    default=ArraySubquery(
        ProductMedia.objects.filter(Q(product=OuterRef("pk")) | Q(product=OuterRef("variant_of")))
        .annotate(not_own=_NOT_OWN)
        .order_by("not_own", "position", "pk")
        .values(row=_ROW)
    ),
)
"""The product's media: what `Product.shown_media` reads. A variant's own come before its parent's,
a parent's before those of its variants."""


def of_variants(aggregate: str, column: str) -> Subquery:
    """Return an aggregate (SUM, MAX) of a column over the product's variants on sale."""
    variants = Product.objects.filter(ON_SALE, variant_of=OuterRef("pk")).order_by()
    return Subquery(variants.values(of=Func(F(column), function=aggregate)))


def products_on_sale() -> "QuerySet[ProductOnSale]":
    """Return the active products, each with `available`, its category and its media.

    The pages don't tell how many units there are. With `few_at` or fewer they say “few left”.
    A parent has what its variants have together; its `price` is that of the cheapest one, and
    `dearest` the highest. It is one query, however many variants, media and renditions there are.
    """
    return (
        Product.objects.filter(ORDERABLE)
        .select_related("category")
        .annotate(
            available=Coalesce(
                Case(
                    When(IS_PARENT, then=of_variants("SUM", "stock__available")),
                    default=F("stock__available"),
                ),
                0,
            ),
            dearest=Coalesce(
                Case(When(IS_PARENT, then=of_variants("MAX", "price"))),
                F("price"),
                output_field=DecimalField(max_digits=10, decimal_places=2),
            ),
            few_at=Coalesce("low_stock", settings.LOW_STOCK_UNITS),
            media_rows=_MEDIA,
        )
    )


def listed_products() -> "QuerySet[ProductOnSale]":
    """Return those of `products_on_sale` that lists show: no variants."""
    return products_on_sale().filter(IS_LISTED)


def variants_on_sale(parent_ids: Iterable[int]) -> "dict[int, list[ProductOnSale]]":
    """Return the parents' variants on sale, by parent, in their order: one query, none without."""
    ids = list(parent_ids)
    found: dict[int, list[Any]] = {}
    if ids:
        variants = products_on_sale().filter(variant_of__in=ids).order_by("position", "pk")
        for variant in variants:
            assert variant.variant_of_id is not None
            found.setdefault(variant.variant_of_id, []).append(variant)
    return found


def categories_on_sale() -> QuerySet[Category]:
    """Return the categories with a product on sale, in the shop's order."""
    return Category.objects.filter(Exists(Product.objects.filter(LISTED, category=OuterRef("pk"))))

"""`GET products` and `GET products/<sku>`: the products on sale."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, QuerySet, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from media_jobs.display import renditions_of
from media_jobs.recipes import PRODUCT_VIDEO
from orders.api.kept_answers import kept_answer
from orders.api.problems import Problem, invalid_problem
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.api.schemas.products import (
    Image,
    ProductFilters,
    ProductOut,
    ProductPage,
    VariantOut,
    Video,
)
from orders.catalogue.browsing import of_variants, products_on_sale, variants_on_sale
from orders.catalogue.search.filters import Filters, Sort
from orders.catalogue.search.listing import read_listing
from orders.catalogue.search.pages import InvalidCursorError
from orders.models import Category, Product
from orders.models.product import IS_PARENT

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE_SIZE = 50
PLAYED = {"hls", *(spec.name for spec in PRODUCT_VIDEO.videos)}
"""The renditions of a video that the API lists. The HLS playlist lists its own parts."""

TOO_LONG = "The address is longer than 4094 bytes. The web server says so, in no format of the API."

router = Router(tags=["Products"])


@router.get(
    "/products",
    response={200: ProductPage, 422: InvalidOut},
    summary="List products",
    openapi_extra={"responses": {414: {"description": TOO_LONG}}},
)
def list_products(request: HttpRequest, filters: Query[ProductFilters]) -> HttpResponseBase:
    """Products on sale, fifty a page; `docs/search.md` says what a search finds.

    Follow `next` and `previous` as `cursor`, with the same other parameters: such pages miss
    nothing and cost the same wherever they are. A page's number works, too; a page after the last
    one is empty.
    """
    return kept_answer(request, lambda: _page(filters))


def _page(filters: ProductFilters) -> ProductPage:
    try:
        listing = read_listing(
            Filters(
                search=filters.search,
                sort=Sort(filters.sort),
                category=_category(filters.category),
            ),
            size=PAGE_SIZE,
            cursor=filters.cursor,
            page=filters.page if filters.page > 1 else None,
            shown=_products(),
        )
    except InvalidCursorError:
        raise _invalid("cursor", _("Use a cursor of this list, in the same order.")) from None
    return ProductPage(
        items=_answers(listing.products),
        count=listing.count,
        next=listing.next or None,
        previous=listing.previous or None,
        corrected=listing.search.corrected or None,
    )


@router.get(
    "/products/{path:sku}", response={200: ProductOut, 404: ProblemOut}, summary="Read a product"
)
def read_product(request: HttpRequest, sku: str) -> HttpResponseBase:
    """One product on sale, by its SKU or by that of a variant."""
    return kept_answer(request, lambda: _product(sku))


def _product(sku: str) -> ProductOut:
    # PostgreSQL refuses a text with NUL.
    product = None if "\x00" in sku else _products().filter(sku=sku).first()
    if product is None:
        raise Problem(404, "not_found", "There is no such product.")
    return _answers([product])[0]


def _category(slug: str) -> Category | None:
    """Return the category; None if none is asked for. An unknown one is a mistake of the client."""
    if not slug:
        return None
    category = Category.objects.filter(slug=slug).first()
    if category is None:
        raise _invalid("category", _("There is no such category."))
    return category


def _invalid(field: str, message: "StrOrPromise") -> Problem:
    return invalid_problem([{"field": field, "message": str(message)}])


def _products() -> QuerySet[Product, Any]:
    own = Coalesce(F("sales__units"), 0)
    of_all = own + Coalesce(of_variants("SUM", "sales__units"), 0, output_field=BigIntegerField())
    return products_on_sale().annotate(
        units_sold=Case(When(IS_PARENT, then=of_all), default=own, output_field=BigIntegerField()),
    )


def _answers(products: Sequence[Any]) -> list[ProductOut]:
    """Return the items of products that come from `_products()`, with their variants."""
    variants = variants_on_sale(product.pk for product in products if product.is_parent)
    return [_answer(product, variants.get(product.pk, [])) for product in products]


def _variant(parent: Product, variant: Any) -> VariantOut:
    return VariantOut(
        sku=variant.sku,
        name=variant.name,
        options=dict(zip(parent.options, variant.options, strict=False)),
        price=str(variant.price),
        currency=settings.SHOP_CURRENCY,
        available=variant.available,
        images=_images(variant),
    )


def _answer(product: Any, variants: Sequence[Any]) -> ProductOut:
    return ProductOut(
        sku=product.sku,
        name=product.name,
        price=str(product.price),
        currency=settings.SHOP_CURRENCY,
        available=product.available,
        units_sold=int(product.units_sold),  # a sum of bigints is a numeric
        images=_images(product),
        videos=[
            Video(
                rendition=rendition.name,
                format=rendition.format,
                width=rendition.width,
                height=rendition.height,
                seconds=rendition.seconds,
                url=urljoin(settings.SITE_URL, rendition.url),
            )
            for medium in product.shown_media
            if medium.shown.is_video
            for rendition in renditions_of(medium.shown)
            if rendition.name in PLAYED or rendition.name == "poster"
        ],
        personalisation=product.personalisation,
        requires_upload=product.requires_upload,
        weight=product.weight,
        variants=[_variant(product, variant) for variant in variants],
    )


def _images(product: Product) -> list[Image]:
    return [
        Image(
            rendition=rendition.name,
            format=rendition.format,
            width=rendition.width,
            height=rendition.height,
            url=urljoin(settings.SITE_URL, rendition.url),
        )
        for medium in product.shown_media
        if not medium.shown.is_video
        for rendition in renditions_of(medium.shown)
    ]

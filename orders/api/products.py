"""`GET products` and `GET products/<sku>`: the products on sale."""

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from ninja import Query, Router

from media_jobs.display import renditions_of
from media_jobs.recipes import PRODUCT_VIDEO
from orders.api.problems import Problem
from orders.api.schemas import (
    Image,
    InvalidOut,
    ProblemOut,
    ProductFilters,
    ProductOut,
    ProductPage,
    Video,
)
from orders.catalogue.browsing import matching, products_on_sale
from orders.models import Product

PAGE_SIZE = 50
PLAYED = {"hls", *(spec.name for spec in PRODUCT_VIDEO.videos)}
"""The renditions of a video that the API lists. The HLS playlist lists its own parts."""

router = Router(tags=["Products"])


@router.get("/products", response={200: ProductPage, 422: InvalidOut}, summary="List products")
def list_products(
    request: HttpRequest,
    filters: Query[ProductFilters],
) -> ProductPage:
    """Products on sale by name. A page after the last one is empty."""
    products = _products().filter(Q(sku__icontains=filters.search) | matching(filters.search))
    first = (filters.page - 1) * PAGE_SIZE
    items = products.order_by("name", "pk")[first : first + PAGE_SIZE]
    return ProductPage(items=[_answer(product) for product in items], count=products.count())


@router.get(
    "/products/{sku}", response={200: ProductOut, 404: ProblemOut}, summary="Read a product"
)
def read_product(request: HttpRequest, sku: str) -> ProductOut:
    """One product on sale, by its SKU."""
    # PostgreSQL refuses a text with NUL.
    product = None if "\x00" in sku else _products().filter(sku=sku).first()
    if product is None:
        raise Problem(404, "not_found", "There is no such product.")
    return _answer(product)


def _products() -> QuerySet[Product, Any]:
    return products_on_sale().annotate(units_sold=Coalesce(F("sales__units"), 0))


def _answer(product: Any) -> ProductOut:
    """`product` comes from `_products()`."""
    return ProductOut(
        sku=product.sku,
        name=product.name,
        price=str(product.price),
        currency=settings.SHOP_CURRENCY,
        available=product.available,
        units_sold=product.units_sold,
        images=[
            Image(
                rendition=rendition.name,
                format=rendition.format,
                width=rendition.width,
                height=rendition.height,
                url=urljoin(settings.SITE_URL, rendition.file.url),
            )
            for medium in product.media.all()
            if not medium.shown.is_video
            for rendition in renditions_of(medium.shown)
        ],
        videos=[
            Video(
                rendition=rendition.name,
                format=rendition.format,
                width=rendition.width,
                height=rendition.height,
                seconds=rendition.seconds,
                url=urljoin(settings.SITE_URL, rendition.file.url),
            )
            for medium in product.media.all()
            if medium.shown.is_video
            for rendition in renditions_of(medium.shown)
            if rendition.name in PLAYED or rendition.name == "poster"
        ],
        personalisation=product.personalisation,
        requires_upload=product.requires_upload,
        weight=product.weight,
    )

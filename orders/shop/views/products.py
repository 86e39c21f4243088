"""`/` and `/products/<slug>/`: the product list and a product's page."""

from dataclasses import dataclass

from csp.decorators import csp_update
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from media_jobs.display import Picture, picture_of
from media_jobs.models import Asset
from orders.catalogue.browsing import FEW, clean_search, matching, products_on_sale
from orders.models import Category, ProductMedia
from orders.placing.request import MAX_QUANTITY
from orders.shop.views.upload import field_of

PAGE_SIZE = 24
MORE = 4
"""The number of other products of the category on a product's page."""


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """List the products; `?q=` searches, `?category=` filters, `?page=` selects the page."""
    search = clean_search(request.GET.get("q", ""))
    categories = list(Category.objects.filter(products__is_active=True).distinct())
    slug = request.GET.get("category", "")
    chosen = next((category for category in categories if category.slug == slug), None)
    products = products_on_sale().filter(matching(search))
    if chosen:
        products = products.filter(category=chosen)
    page = Paginator(products.order_by("name", "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "shop/shop.html",
        {
            "search": search,
            "categories": categories,
            "chosen": chosen,
            "page": page,
            "few": FEW,
        },
    )


@dataclass(frozen=True)
class Shown:
    """One medium of the product as its page shows it."""

    asset: Asset
    alt: str
    zoom: Picture | None


# `blob:` lets the browser preview the shopper's local file.
@csp_update({"img-src": ["blob:"], "media-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one product, and some others of its category."""
    products = products_on_sale()
    found = products.filter(slug=slug).first()
    if found is None:
        raise Http404
    others = products.filter(category=found.category_id).exclude(pk=found.pk)
    return render(
        request,
        "shop/product.html",
        {
            "product": found,
            "media": [_shown(medium) for medium in found.media.all()],
            "others": others.order_by("name", "pk")[:MORE],
            "few": FEW,
            "field": field_of(found),
            "most": min(found.available, MAX_QUANTITY),
        },
    )


def _shown(medium: ProductMedia) -> Shown:
    asset = medium.shown
    zoom = None if asset.is_video else picture_of(asset, "zoom")
    return Shown(asset=asset, alt=medium.alt, zoom=zoom)

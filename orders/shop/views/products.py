"""`/products/<slug>/`: a product's page. The list of products is `search`."""

from dataclasses import dataclass

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from media_jobs.display import Picture, picture_of
from media_jobs.models import Asset
from orders.catalogue.browsing import FEW, products_on_sale
from orders.models import Product, ProductMedia
from orders.placing.request import MAX_QUANTITY
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.seo import product_data, seo_of
from orders.shop.views.upload import field_of

MORE = 4
"""The number of other products of the category on a product's page."""


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
    viewed = RecentlyViewed(request)
    page = render(
        request,
        "shop/product.html",
        {
            "product": found,
            "seo": seo_of(
                found.get_absolute_url(),
                description=found.description or found.name,
                data=product_data(found, available=found.available, pictures=_pictures(found)),
            ),
            "recent": viewed.products(without=found.pk),
            "media": [_shown(medium) for medium in found.media.all()],
            "others": others.order_by("name", "pk")[:MORE],
            "few": FEW,
            "field": field_of(found),
            "most": min(found.available, MAX_QUANTITY),
        },
    )
    viewed.note(found.pk, page)
    return page


def _pictures(product: Product) -> list[str]:
    shown = [medium.shown for medium in product.media.all()]
    pictures = [picture_of(asset, "page") for asset in shown if not asset.is_video]
    return [picture.url for picture in pictures if picture]


def _shown(medium: ProductMedia) -> Shown:
    asset = medium.shown
    zoom = None if asset.is_video else picture_of(asset, "zoom")
    return Shown(asset=asset, alt=medium.alt, zoom=zoom)

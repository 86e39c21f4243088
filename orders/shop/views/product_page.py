"""The page of one product, which the product's view and its forms show."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from media_jobs.display import Picture, picture_of
from media_jobs.models import Asset
from orders.catalogue.browsing import products_on_sale
from orders.models import Product
from orders.models.product import ShownMedium
from orders.placing.request import MAX_QUANTITY
from orders.quotes.carriers import used_carriers
from orders.shop.own_hold import own_units
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.seo import product_data, seo_of
from orders.shop.views.upload import field_of
from orders.shop.waiting import WaitingForm, own_address

if TYPE_CHECKING:
    from orders.catalogue.browsing import ProductOnSale

MORE = 4
"""The number of other products of the category on a product's page."""


@dataclass(frozen=True)
class Shown:
    """One medium of the product as its page shows it."""

    asset: Asset
    alt: str
    zoom: Picture | None


@dataclass(frozen=True)
class Handover:
    """How the shop hands an order over, as far as that is known without asking a carrier."""

    pickup: bool
    days: int | None
    """Until a delivery is there, at most; None: only the carriers know it."""


def product_page(
    request: HttpRequest,
    product: "ProductOnSale",
    *,
    waiting_form: WaitingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the product, of `products_on_sale`, and some others of its category."""
    # The shopper can have what is set aside for her checkout.
    product.available += own_units(request.session).get(product.pk, 0)
    others = products_on_sale().filter(category=product.category_id).exclude(pk=product.pk)
    if not product.available and waiting_form is None:
        waiting_form = WaitingForm(initial={"email": own_address(request)})
    context = {
        "product": product,
        "seo": seo_of(
            product.get_absolute_url(),
            description=product.description or product.name,
            data=product_data(product, available=product.available, pictures=_pictures(product)),
        ),
        "recent": RecentlyViewed(request).products(without=product.pk),
        "media": [_shown(medium) for medium in product.shown_media],
        "others": others.order_by("name", "pk")[:MORE],
        "field": field_of(product),
        "most": MAX_QUANTITY,
        "handover": handover(),
        "waiting_form": waiting_form,
    }
    return render(request, "shop/product.html", context, status=status)


def handover() -> Handover:
    """Return how the shop hands orders over, by the settings alone."""
    days = [carrier.days for carrier in used_carriers() if carrier.needs_address]
    known = [number for number in days if number is not None]
    return Handover(pickup=settings.DELIVERY_PICKUP, days=max(known, default=None))


def _pictures(product: Product) -> list[str]:
    shown = [medium.shown for medium in product.shown_media]
    pictures = [picture_of(asset, "page") for asset in shown if not asset.is_video]
    return [picture.url for picture in pictures if picture]


def _shown(medium: ShownMedium) -> Shown:
    asset = medium.shown
    zoom = None if asset.is_video else picture_of(asset, "zoom")
    return Shown(asset=asset, alt=medium.alt, zoom=zoom)

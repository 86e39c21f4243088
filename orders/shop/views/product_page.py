"""The page of one product, which the product's view and its forms show."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from media_jobs.display import Picture, picture_of
from media_jobs.models import Asset
from orders.catalogue.browsing import listed_products, products_on_sale
from orders.models import Product
from orders.models.product import ShownMedium
from orders.placing.request import MAX_QUANTITY
from orders.quotes.carriers import used_carriers
from orders.shop.own_hold import own_units
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.seo import group_data, product_data, seo_of
from orders.shop.variant_choice import Choice, read_choice
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
    alt_lang: str
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
    choice: Choice | None = None,
    waiting_form: WaitingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the product, of `products_on_sale`, and some others of its category.

    `choice` is what is chosen of a parent's variants. A variant is shown on its parent's page.
    """
    if product.variant_of_id is not None:
        parent = products_on_sale().get(pk=product.variant_of_id)
        choice = read_choice(parent, {"variant": product.sku})
        product = parent
    own = own_units(request.session)  # the shopper can have what is set aside for her checkout
    for each in choice.variants if choice else [product]:
        each.available += own.get(each.pk, 0)
    offer: Any = (choice.variant if choice else None) or product
    others = listed_products().filter(category=product.category_id).exclude(pk=product.pk)
    if not offer.available and not offer.is_parent and waiting_form is None:
        waiting_form = WaitingForm(initial={"email": own_address(request)})
    context = {
        "product": product,
        "offer": offer,
        "choice": choice,
        "offer_address": choice.address if choice else product.get_absolute_url(),
        "seo": seo_of(
            product.get_absolute_url(),
            description=product.text("description") or product.shown_name,
            data=group_data(product, choice.variants, pictures=_pictures)
            if choice
            else product_data(product, available=product.available, pictures=_pictures(product)),
        ),
        "recent": RecentlyViewed(request).products(without=product.pk),
        "media": [_shown(medium) for medium in offer.shown_media],
        "others": others.order_by("name", "pk")[:MORE],
        "field": field_of(offer),
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
    return Shown(asset=asset, alt=medium.alt, alt_lang=medium.alt_lang, zoom=zoom)

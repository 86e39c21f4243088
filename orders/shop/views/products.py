"""`/products/<slug>/`: a product's page. The list of products is `search`."""

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from orders.catalogue.browsing import products_on_sale
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.views.product_page import product_page


# `blob:` lets the browser preview the shopper's local file.
@csp_update({"img-src": ["blob:"], "media-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one product, and some others of its category."""
    found = products_on_sale().filter(slug=slug).first()
    if found is None:
        raise Http404
    page = product_page(request, found)
    RecentlyViewed(request).note(found.pk, page)
    return page

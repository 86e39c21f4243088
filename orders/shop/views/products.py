"""`/products/<slug>/`: a product's page. The list of products is `search`."""

from csp.decorators import csp_update
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from orders.catalogue.browsing import products_on_sale
from orders.shop.kept_pages import Page, kept_page
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.views.product_page import product_page


# `blob:` lets the browser preview the shopper's local file.
@csp_update({"img-src": ["blob:"], "media-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show one product, and some others of its category."""

    def render() -> Page:
        found = products_on_sale().filter(slug=slug).first()
        if found is None:
            raise Http404
        return Page(product_page(request, found).content, product_id=found.pk)

    answer, page = kept_page(request, render)
    assert page.product_id is not None
    RecentlyViewed(request).note(page.product_id, answer)
    return answer

"""`/products/<slug>/`: a product's page. The list of products is `search`."""

from csp.decorators import csp_update
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from orders.catalogue.browsing import products_on_sale
from orders.models import Product
from orders.shop.kept_pages import Page, kept_page
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.variant_choice import read_choice, variant_address
from orders.shop.views.product_page import product_page


class _IsVariantError(Exception):
    """The address is a variant's: its page is its parent's."""

    def __init__(self, variant: Product, parent_id: int) -> None:
        self.variant = variant
        self.parent_id = parent_id
        super().__init__(variant.sku)


# `blob:` lets the browser preview the shopper's local file.
@csp_update({"img-src": ["blob:"], "media-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show one product, and some others of its category.

    A variant's address leads to its parent's page, where it is chosen.
    """

    def render() -> Page:
        found = products_on_sale().filter(slug=slug).first()
        if found is None:
            raise Http404
        if found.variant_of_id is not None:
            raise _IsVariantError(found, found.variant_of_id)
        choice = read_choice(found, request.GET) if found.is_parent else None
        return Page(product_page(request, found, choice=choice).content, product_id=found.pk)

    try:
        answer, page = kept_page(request, render)
    except _IsVariantError as error:
        parent = Product.objects.get(pk=error.parent_id)
        return redirect(variant_address(parent, error.variant))
    assert page.product_id is not None
    RecentlyViewed(request).note(page.product_id, answer)
    return answer

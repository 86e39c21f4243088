"""`/` and `/products/<slug>/`: the product list and a product's page."""

from csp.decorators import csp_update
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders.catalogue.browsing import clean_search, matching, products_on_sale
from orders.models import Category
from orders.shop.views.product_page import product_page

PAGE_SIZE = 24


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
        },
    )


# `blob:` lets the browser preview the shopper's local file.
@csp_update({"img-src": ["blob:"], "media-src": ["blob:"]})  # type: ignore[arg-type]
@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one product, and some others of its category."""
    found = products_on_sale().filter(slug=slug).first()
    if found is None:
        raise Http404
    return product_page(request, found)

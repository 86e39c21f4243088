"""`/`: the list of products, searched, filtered and sorted; `/suggestions/` while typing."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from orders.catalogue.browsing import categories_on_sale
from orders.catalogue.search.filters import Filters, Sort
from orders.catalogue.search.listing import best_sellers, near_products, read_listing
from orders.catalogue.search.pages import InvalidCursorError
from orders.catalogue.search.suggestions import suggest
from orders.catalogue.search.words import clean_search
from orders.models import Category
from orders.shop.kept_pages import Page, kept_page
from orders.shop.recently_viewed import RecentlyViewed
from orders.shop.seo import Seo, seo_of

PAGE_SIZE = 24
WAY_ON = 8
"""The number of other products that a page without any shows."""
MOST_PRICE = Decimal(10**8)
BY_NAME = _("By name")
PROMISE = _("If you can order it, it’s yours: your items are set aside the moment you confirm.")
OF_CATEGORY = _("%(category)s at %(shop)s: what is in stock, with prices and delivery.")


@dataclass(frozen=True)
class SortLink:
    """An order of the list, and how the select shows it."""

    value: str
    label: str
    is_chosen: bool


@require_safe
def shop(request: HttpRequest) -> HttpResponseBase:
    """List the products; the address says which. What it says wrongly is ignored."""
    answer, _page = kept_page(request, lambda: Page(_list(request).content))
    return answer


def _list(request: HttpRequest) -> HttpResponse:
    categories = list(categories_on_sale())
    filters = read_filters(request.GET, categories)
    try:
        listing = read_listing(filters, size=PAGE_SIZE, cursor=request.GET.get("cursor", ""))
    except InvalidCursorError:
        listing = read_listing(filters, size=PAGE_SIZE)
    near = [] if listing.count else near_products(listing.search, size=WAY_ON)
    return render(
        request,
        "shop/shop.html",
        {
            "seo": None if filters.search else _seo(filters.category),
            "search": filters.search,
            "filters": filters,
            "sorts": _sorts(filters),
            "categories": categories,
            "chosen": filters.category,
            "listing": listing,
            "near": near,
            "best": [] if listing.count or near else best_sellers(size=WAY_ON),
            "recent": [] if filters.search else RecentlyViewed(request).products(),
        },
    )


def _seo(category: Category | None) -> Seo:
    """Return the tags of the whole shop or of a category; sorted and filtered lists are the same.

    What was searched for isn't indexed: its pages are without number.
    """
    if category is None:
        return seo_of(reverse("shop"), description=f"{settings.SHOP_NAME}. {PROMISE}")
    words = str(OF_CATEGORY) % {"category": category.text("name"), "shop": settings.SHOP_NAME}
    return seo_of(reverse("shop"), description=words, category=category.slug)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Return what the search offers for the text typed so far, for htmx."""
    search = clean_search(request.GET.get("q", ""))
    found = suggest(search)
    return render(request, "shop/_suggestions.html", {"search": search, "suggestions": found})


def read_filters(query: QueryDict, categories: Iterable[Category]) -> Filters:
    """Return what the address asks for; a value that can't be is left out."""
    slug, sort = query.get("category", ""), query.get("sort", "")
    least, most = _price(query.get("from", "")), _price(query.get("to", ""))
    if least is not None and most is not None and least > most:
        least, most = most, least
    return Filters(
        search=clean_search(query.get("q", "")),
        sort=Sort(sort) if sort in Sort.values else Sort.RELEVANCE,
        category=next((each for each in categories if each.slug == slug), None),
        least=least,
        most=most,
        in_stock=query.get("stock") == "1",
    )


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text.strip().replace(",", ".")[:20])
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price < MOST_PRICE else None


def _sorts(filters: Filters) -> list[SortLink]:
    """Return the orders to choose from; without words the first one is by name."""
    return [
        SortLink(
            value="" if sort == Sort.RELEVANCE else sort,
            label=str(BY_NAME if sort == Sort.RELEVANCE and not filters.search else sort.label),
            is_chosen=sort == filters.sort,
        )
        for sort in Sort
    ]

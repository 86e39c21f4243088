"""`/sitemap.xml` and `/robots.txt`: which pages there are, for search engines."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders.models import Category, Product
from orders.shop.languages import address_in

PRODUCTS_PER_PAGE = 2_000
"""A page of the map takes 0.2 s; 100,000 products are fifty pages."""
NOT_CRAWLED = ("/admin/", "/api/", "/cart/", "/checkout/", "/i18n/")
"""Pages that lead nowhere. Those of accounts and orders say `noindex`, which a crawler must be
allowed to read: an address that somebody published would be listed without it."""


class ShopSitemap(Sitemap):
    """Pages with their address in each language, at `SITE_URL` whatever the request's host is."""

    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def get_urls(self, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
        urls = super().get_urls(*arguments, **options)
        for url in urls:
            path, query = self.page_of(url["item"])
            url["alternates"] = [
                {"lang_code": code, "location": address_in(code, path, **query)}
                for code, _name in settings.LANGUAGES
            ]
        return urls

    def location(self, item: Any) -> str:
        path, query = self.page_of(item)
        return address_in(settings.LANGUAGE_CODE, path, **query).removeprefix(settings.SITE_URL)

    def page_of(self, item: Any) -> tuple[str, dict[str, str]]:
        """Return the path and the query of an item's page."""
        raise NotImplementedError


class CategorySitemap(ShopSitemap):
    """The shop's first page, and the categories with something on sale."""

    def items(self) -> list[str]:
        on_sale = Product.objects.filter(category=OuterRef("pk"), is_active=True)
        categories = Category.objects.filter(Exists(on_sale)).order_by("pk")
        return ["", *categories.values_list("slug", flat=True)]

    def page_of(self, item: str) -> tuple[str, dict[str, str]]:
        return reverse("shop"), {"category": item}


class ProductSitemap(ShopSitemap):
    """The products on sale, the oldest first: a new one changes the last page only."""

    limit = PRODUCTS_PER_PAGE

    def items(self) -> "QuerySet[Product, tuple[str]]":
        on_sale = Product.objects.filter(is_active=True).order_by("pk")
        return on_sale.values_list("slug")

    def page_of(self, item: tuple[str]) -> tuple[str, dict[str, str]]:
        return reverse("product", args=item), {}

    def get_latest_lastmod(self) -> Any:
        return Product.objects.filter(is_active=True).aggregate(at=Max("created_at"))["at"]


SITEMAPS = {"categories": CategorySitemap, "products": ProductSitemap}


@require_safe
@cache_control(max_age=86_400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    """Name what isn't worth a visit, and where the map is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_CRAWLED), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")

"""What `/sitemap.xml` lists: the shop's first page, categories and products, in each language."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Max, QuerySet
from django.urls import reverse

from orders.catalogue.browsing import categories_on_sale
from orders.models import Product
from orders.models.product import LISTED
from orders.shop.languages import address_in

PRODUCTS_PER_PAGE = 2_000


class ShopSitemap(Sitemap):
    """Pages with their address in each language, at `SITE_URL` whatever the request's host is."""

    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def get_urls(self, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
        urls: list[dict[str, Any]] = super().get_urls(*arguments, **options)
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
        return ["", *categories_on_sale().values_list("slug", flat=True)]

    def page_of(self, item: str) -> tuple[str, dict[str, str]]:
        return reverse("shop"), {"category": item}


class ProductSitemap(ShopSitemap):
    """The products on sale, the oldest first: a new one changes the last page only."""

    limit = PRODUCTS_PER_PAGE

    def items(self) -> "QuerySet[Product, str]":
        on_sale = Product.objects.filter(LISTED).order_by("pk")
        return on_sale.values_list("slug", flat=True)

    def page_of(self, item: str) -> tuple[str, dict[str, str]]:
        return reverse("product", args=[item]), {}

    def get_latest_lastmod(self) -> Any:
        return Product.objects.filter(LISTED).aggregate(at=Max("created_at"))["at"]


SITEMAPS: "dict[str, type[Sitemap[Any]] | Sitemap[Any]]" = {
    "categories": CategorySitemap,
    "products": ProductSitemap,
}

"""`/sitemap.xml` and `/robots.txt`: which pages there are, for search engines."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.sitemaps import views
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders.shop.sitemaps import SITEMAPS

NOT_CRAWLED = ("/admin/", "/api/", "/cart/", "/checkout/", "/suggestions/")
"""Pages that lead nowhere. Those of accounts and orders say `noindex`, which a crawler must be
allowed to read: an address that somebody published would be listed without it."""


@require_safe
@cache_control(max_age=3_600, public=True)
def index(request: HttpRequest) -> HttpResponse:
    """List the pages of the map, at `SITE_URL` whatever the request's host is."""
    response = views.index(request, SITEMAPS, sitemap_url_name="sitemap-pages")
    for page in (response.context_data or {})["sitemaps"]:
        _scheme, _host, *rest = urlsplit(page.location)
        page.location = settings.SITE_URL + urlunsplit(("", "", *rest))
    return response


@require_safe
@cache_control(max_age=3_600, public=True)
def pages(request: HttpRequest, section: str) -> HttpResponse:
    """Answer with one page of the map, `?p=`."""
    return views.sitemap(request, SITEMAPS, section)


@require_safe
@cache_control(max_age=86_400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    """Name what isn't worth a visit, and where the map is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_CRAWLED), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")

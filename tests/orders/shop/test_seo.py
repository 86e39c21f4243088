"""What search engines read: one address for a page, its languages, the map, a product's data."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Product, Stock
from orders.shop.sitemaps import ProductSitemap
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db

SITE = settings.SITE_URL
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def canonical(page: Any) -> str:
    return re.findall(r'rel="canonical" href="([^"]*)"', page.content.decode())[0]


def alternates(page: Any) -> dict[str, str]:
    return dict(re.findall(r'hreflang="(.*?)" href="(.*?)"', page.content.decode()))


def locations(page: Any) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(page.content).iter(f"{MAP}loc")]


def product_data(page: Any) -> Any:
    html = page.content.decode()
    return json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])


def test_filters_and_sorts_are_one_page_and_a_category_is_another(client: Client) -> None:
    add_product("MUG")

    assert canonical(client.get("/?sort=price&stock=1&from=2&utm_source=x")) == f"{SITE}/"
    listed = client.get("/?category=things&sort=newest&cursor=x")
    assert canonical(listed) == f"{SITE}/?category=things"
    assert 'name="robots"' not in listed.content.decode()


def test_each_language_has_its_address_and_each_page_names_them_all(client: Client) -> None:
    add_product("MUG")
    english = client.get("/products/mug/")
    chinese = client.get("/products/mug/?lang=zh-hans")

    assert '<html lang="zh-hans">' in chinese.content.decode()
    assert canonical(english) == f"{SITE}/products/mug/"
    assert canonical(chinese) == f"{SITE}/products/mug/?lang=zh-hans"
    assert alternates(english) == alternates(chinese)
    assert alternates(english) == {
        "en": f"{SITE}/products/mug/",
        "zh-hans": f"{SITE}/products/mug/?lang=zh-hans",
        "x-default": f"{SITE}/products/mug/",
    }


def test_the_language_of_a_link_stays_unless_its_reader_chose_one() -> None:
    new, chosen = Client(), Client()
    chosen.cookies["django_language"] = "en"
    for client in (new, chosen):
        client.get("/?lang=zh-hans")

    assert '<html lang="zh-hans">' in new.get("/").content.decode()
    assert '<html lang="en">' in chosen.get("/").content.decode()
    # The choice in the header leads to the page without the language of the link.
    page = chosen.get("/?lang=zh-hans&sort=price").content.decode()
    assert re.findall(r'name="next"\s+value="([^"]*)"', page)[0] == "/?sort=price"


def test_what_is_private_or_without_end_is_not_indexed(client: Client) -> None:
    order = make_order()

    private = ("/cart/", f"/orders/{order.pk}/", "/accounts/login/", "/orders/find/", "/nope/")
    for path in (*private, "/?q=mug"):
        assert '<meta name="robots" content="noindex">' in client.get(path).content.decode(), path


def test_a_products_data_is_what_its_page_says(client: Client) -> None:
    product = add_product("MUG", price="9.90", stock=3, description="Holds <b>tea</b> & more")
    Product.objects.update(name="</script><script>alert(1)</script>")

    page = client.get("/products/mug/")
    data = product_data(page)

    assert data["name"] == "</script><script>alert(1)</script>"
    assert (data["offers"]["price"], data["offers"]["priceCurrency"]) == ("9.90", "EUR")
    assert "€9.90" in page.content.decode()
    assert data["offers"]["availability"] == "https://schema.org/InStock"
    assert data["url"] == canonical(page)
    Stock.objects.filter(product=product).update(available=0)
    sold_out = client.get("/products/mug/")
    assert product_data(sold_out)["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert "Sold out" in sold_out.content.decode()


def test_the_map_has_every_page_once_in_each_language_and_asks_little(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ProductSitemap.limit <= 50_000  # the protocol's limit for a page
    monkeypatch.setattr(ProductSitemap, "limit", 2)
    for number in range(3):
        add_product(f"M{number}")
    add_product("OFF", active=False)

    maps = locations(client.get("/sitemap.xml"))
    with CaptureQueriesContext(connection) as captured:
        pages = [client.get(each.removeprefix(SITE)) for each in maps]
    found = [place for page in pages for place in locations(page)]

    assert len(maps) == 3
    assert len(captured) == 5  # a count and a page for each of products, the categories
    assert found == [
        f"{SITE}/",
        f"{SITE}/?category=things",
        *(f"{SITE}/products/m{number}/" for number in range(3)),
    ]
    assert alternates(pages[1])["zh-hans"].endswith("/?lang=zh-hans")


def test_robots_are_told_where_the_map_is(client: Client) -> None:
    text = client.get("/robots.txt").content.decode()

    assert f"Sitemap: {SITE}/sitemap.xml" in text
    assert "Disallow: /cart/" in text
    assert "/orders/" not in text  # so that a crawler reads their `noindex`

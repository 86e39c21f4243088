"""The list of products as the address says it, and what the browser keeps."""

from itertools import product as combinations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from orders.catalogue.search.vocabulary import count_words
from orders.models import Popularity, Product
from orders.shop.views.search import PAGE_SIZE
from tests.factories import add_product
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db

JUNK = [
    "",
    "\x00",
    "\ud800",
    "'\"><script>",
    "-1",
    "9" * 400,
    "NaN",
    "1e999",
    "٣",
    "杯" * 200,
    "&|!:*",
]


def test_no_address_breaks_the_list_the_suggestions_or_the_api(client: Client) -> None:
    add_product("MUG")
    names = ["q", "sort", "category", "from", "to", "stock", "cursor", "page", "search"]

    for name, junk in combinations(names, JUNK):
        query = {
            name: junk.encode("utf-8", "surrogatepass"),
            "extra": junk.encode("utf-8", "ignore"),
        }
        assert client.get("/", query).status_code == 200, (name, junk)
        assert client.get("/suggestions/", query).status_code == 200, (name, junk)
        assert client.get("/api/v1/products", query).status_code in (200, 422), (name, junk)
        client.cookies["viewed"] = junk.encode("ascii", "ignore").decode().replace("\x00", "")
        assert client.get("/products/mug/").status_code == 200


def test_the_list_is_paged_by_cursor_and_keeps_what_was_asked(client: Client) -> None:
    for number in range(PAGE_SIZE + 1):
        add_product(f"N{number:03}")

    first = client.get("/", {"q": "thing", "sort": "-price", "stock": "1"})
    address = first.content.decode().split('rel="next"')[1].split('href="')[1].split('"')[0]
    second = client.get(address.replace("&amp;", "&"))

    assert f"{PAGE_SIZE + 1} products" in text_of(first)
    assert "q=thing" in address
    assert "sort=-price" in address
    assert "Thing N000" in text_of(second)
    assert 'rel="prev"' in second.content.decode()


def test_an_empty_page_has_a_way_on(client: Client) -> None:
    mug, cup = add_product("MUG"), add_product("CUP")
    Product.objects.filter(pk=mug.pk).update(name="Blue mug")
    Product.objects.filter(pk=cup.pk).update(name="Red cup")
    Popularity.objects.filter(product=cup).update(units=5)
    count_words()

    some = text_of(client.get("/", {"q": "blue cup"}))
    none = text_of(client.get("/", {"q": "xylophone"}))
    filtered = client.get("/", {"q": "mug", "from": "900"})
    mistyped = text_of(client.get("/", {"q": "bleu mgu"}))

    assert "These have some of your words" in some
    assert "What others buy" in none
    assert "Red cup" in none
    assert "Perhaps there is something without the filters." in text_of(filtered)
    assert "the results for “blue mug”" in mistyped


def test_products_looked_at_are_shown_again_and_only_the_browser_keeps_them(client: Client) -> None:
    for sku in ("MUG", "CUP"):
        add_product(sku)
        client.get(f"/products/{sku.lower()}/")

    assert "You looked at" in text_of(client.get("/"))
    again = client.get("/products/cup/")
    assert "viewed" not in again.cookies  # nothing new to write
    assert "You looked at Thing MUG" in text_of(again)
    assert not Session.objects.exists()

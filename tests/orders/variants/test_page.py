"""The page of a product with variants: choosing one, with and without JavaScript; its texts."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from orders.messages.back_in_stock import tell_back_in_stock
from orders.messages.waiting_list import confirm
from orders.models import CartLine, Category, Product, Stock, WaitingListEntry
from tests.factories import add_product, add_shirt, add_variant
from tests.orders.shop.pages import text_of
from tests.orders.variants.pictures import picture

pytestmark = pytest.mark.django_db

PAGE = "/products/shirt/"
CHINESE = {"accept-language": "zh-hans"}


@pytest.fixture
def shirt() -> Product:
    """M in red and blue, L in red only, and none of these left."""
    shirt = add_shirt(texts={"zh-hans": {"options": ["尺码", "颜色"]}}, description="Of linen.")
    red = add_variant(shirt, "M", "red", texts={"zh-hans": {"options": ["M", "红色"]}})
    picture(red, "red")
    picture(add_variant(shirt, "M", "blue", price="22.00"), "blue")
    add_variant(shirt, "L", "red", stock=0)
    return shirt


def pictures(answer: Any) -> set[str]:
    (gallery,) = re.findall(r'<section class="gallery.*?</section>', answer.content.decode(), re.S)
    return set(re.findall(r"renditions/(\w+)/page", gallery))


def sku_to_add(answer: Any) -> str:
    form = re.search(r'<form class="buy".*?</form>', answer.content.decode(), re.S)
    return re.findall(r'name="sku" value="([^"]+)"', form[0])[0] if form else ""


def test_before_a_choice_the_page_says_from_which_price_and_adds_nothing(shirt: Product) -> None:
    answer = Client().get(PAGE)

    said = text_of(answer)
    assert "from €20.00" in said
    assert "In stock" in said
    assert "Choose one to see its price" in said
    assert sku_to_add(answer) == ""
    assert pictures(answer) == {"red", "blue"}


@pytest.mark.parametrize("query", ["?variant=SHIRT-M-BLUE", "?o1=M&o2=blue"])
def test_a_chosen_variant_has_its_own_price_picture_and_form(query: str, shirt: Product) -> None:
    answer = Client().get(PAGE + query)

    assert "€22.00" in text_of(answer)
    assert sku_to_add(answer) == "SHIRT-M-BLUE"
    assert pictures(answer) == {"blue"}
    assert 'data-address="/products/shirt/?variant=SHIRT-M-BLUE"' in answer.content.decode()
    assert 'value="blue" checked' in " ".join(answer.content.decode().split())


def test_what_is_sold_out_and_what_does_not_exist_is_shown_as_such(shirt: Product) -> None:
    chosen = Client().get(PAGE + "?o1=L")
    labels = re.findall(r'<label class="option-value([^"]*)"', chosen.content.decode())
    assert labels == ["", " is-sold-out", " is-sold-out", " is-impossible"]

    impossible = Client().get(PAGE + "?o1=L&o2=blue")
    assert "There is no such combination" in text_of(impossible)
    assert sku_to_add(impossible) == ""
    assert "In stock" not in text_of(impossible)

    sold_out = Client().get(PAGE + "?variant=SHIRT-L-RED")
    assert "Tell me when it’s back" in text_of(sold_out)
    assert "/products/shirt-shirt-l-red/back-in-stock/" in sold_out.content.decode()


def test_what_the_address_says_wrongly_is_left_out(shirt: Product) -> None:
    for query in ("?variant=NONE", "?o1=XL&o2=red", "?o1=%00&o9=x"):
        answer = Client().get(PAGE + query)
        assert answer.status_code == 200
        assert sku_to_add(answer) == ""


def test_an_option_with_one_value_is_chosen_at_once() -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red")
    add_variant(shirt, "L", "red")

    assert sku_to_add(Client().get(PAGE + "?o1=L")) == "SHIRT-L-RED"


def test_a_variants_own_address_leads_to_its_parents_page_with_it_chosen(shirt: Product) -> None:
    answer = Client().get("/products/shirt-shirt-m-red/")

    assert answer.status_code == 302
    assert answer["Location"] == "/products/shirt/?variant=SHIRT-M-RED"


def test_the_cart_has_the_variant_and_takes_no_parent(shirt: Product) -> None:
    client = Client()

    refused = client.post("/cart/", {"action": "add", "sku": "SHIRT"})
    assert refused["Location"] == PAGE
    assert "Choose which one you would like first." in text_of(client.get(PAGE))
    client.post("/cart/", {"action": "add", "sku": "SHIRT-M-RED"})

    assert list(CartLine.objects.values_list("sku", "seen_name")) == [
        ("SHIRT-M-RED", "Thing SHIRT, M, red")
    ]
    assert "Thing SHIRT, M, red" in text_of(client.get("/cart/"))


def test_a_product_that_got_variants_leaves_the_cart_with_a_message() -> None:
    mug = add_product("MUG")
    client = Client()
    client.post("/cart/", {"action": "add", "sku": "MUG"})

    Product.objects.filter(pk=mug.pk).update(options=["Colour"])

    assert "“Thing MUG” is no longer on sale" in text_of(client.get("/cart/"))


def test_search_engines_read_a_product_group_with_each_variants_offer(shirt: Product) -> None:
    page = Client().get(PAGE + "?variant=SHIRT-M-BLUE").content.decode()

    data = json.loads(re.findall(r'ld\+json">(.*?)</script>', page, re.S)[0])
    assert data["@type"] == "ProductGroup"
    assert data["variesBy"] == ["Size", "Colour"]
    offers = {each["sku"]: each["offers"] for each in data["hasVariant"]}
    assert offers["SHIRT-M-BLUE"]["price"] == "22.00"
    assert offers["SHIRT-L-RED"]["availability"].endswith("OutOfStock")
    assert offers["SHIRT-M-RED"]["url"].endswith("/products/shirt/?variant=SHIRT-M-RED")
    assert re.findall(r'rel="canonical" href="[^"]*"', page)[0].endswith('/products/shirt/"')


def test_a_card_says_from_which_price_and_has_no_button(shirt: Product) -> None:
    page = Client().get("/").content.decode()

    assert "from €20.00" in " ".join(page.split())
    assert 'name="sku" value="SHIRT' not in page


def test_the_waiting_list_is_of_the_variant_and_tells_its_name(shirt: Product) -> None:
    variant = Product.objects.get(sku="SHIRT-L-RED")
    Client().post("/products/shirt-shirt-l-red/back-in-stock/", {"email": "ada@example.org"})
    entry = WaitingListEntry.objects.get()
    assert entry.product == variant
    confirm(entry.pk)

    Stock.objects.filter(product=variant).update(available=4)
    Product.objects.filter(pk=shirt.pk).update(is_active=False)
    assert tell_back_in_stock() is None
    Product.objects.filter(pk=shirt.pk).update(is_active=True)
    assert tell_back_in_stock() == 1

    told = Notification.objects.get(event="back_in_stock")
    assert told.context["product"] == "Thing SHIRT, L, red"
    assert told.context["url"].endswith("/products/shirt-shirt-l-red/")


def test_a_wrong_address_comes_back_to_the_chosen_variant(shirt: Product) -> None:
    answer = Client().post("/products/shirt-shirt-l-red/back-in-stock/", {"email": "nobody"})

    assert answer.status_code == 422
    assert "Enter a valid e-mail address" in text_of(answer)
    assert 'value="L" checked' in " ".join(answer.content.decode().split())
    assert Client().post("/products/shirt/back-in-stock/", {"email": "x"}).status_code == 404


def test_the_page_in_chinese_marks_what_is_in_the_shops_own_language(shirt: Product) -> None:
    Category.objects.update(texts={"zh-hans": {"name": "物品"}})

    page = Client().get(PAGE + "?variant=SHIRT-M-RED", headers=CHINESE).content.decode()

    assert '<h1><bdi lang="en">Thing SHIRT</bdi></h1>' in page
    assert '<div class="product-description" lang="en">' in page
    assert "<bdi>物品</bdi>" in page
    assert "<bdi>尺码</bdi>" in page
    assert "<bdi>红色</bdi>" in page
    assert '<bdi lang="en">blue</bdi>' in page
    assert 'lang="en">' in re.findall(r'<li class="gallery-item"[^>]*>', page)[0]


def test_translated_texts_are_shown_without_a_mark() -> None:
    add_product("MUG", texts={"zh-hans": {"name": "杯子", "description": "蓝色的。"}})

    chinese = Client().get("/products/mug/", headers=CHINESE).content.decode()
    english = Client().get("/products/mug/").content.decode()

    assert "<h1><bdi>杯子</bdi></h1>" in chinese
    assert "蓝色的。" in chinese
    assert "<h1><bdi>Thing MUG</bdi></h1>" in english
    assert "杯子" not in english
    assert "<bdi>杯子</bdi>" in Client().get("/", headers=CHINESE).content.decode()


def test_lists_take_as_many_queries_with_variants_and_translations_as_without() -> None:
    counts = []
    for number in range(3):
        shirt = add_product(f"S{number}", options=["Size"], stock=0)
        for size in ("S", "M", "L"):
            picture(add_variant(shirt, size), f"{number}{size}")
        with CaptureQueriesContext(connection) as queries:
            Client().get("/", headers=CHINESE)
        with CaptureQueriesContext(connection) as of_api:
            Client().get("/api/v1/products?sort=newest")
        with CaptureQueriesContext(connection) as of_page:
            Client().get(f"/products/s{number}/?o1=M")
        counts.append((len(queries), len(of_api), len(of_page)))

    assert len(set(counts)) == 1, counts
    lists, api, page = counts[0]
    assert (lists <= 4, api <= 3, page <= 6) == (True, True, True), counts[0]

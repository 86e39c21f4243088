"""Lists and searches show a parent once, and find it by its variants, in each language."""

from decimal import Decimal

import pytest
from django.test import Client

from orders.catalogue.search.filters import Filters, Sort
from orders.catalogue.search.listing import best_sellers, near_products, read_listing, read_search
from orders.catalogue.search.popularity import note_popularity
from orders.catalogue.search.suggestions import suggest
from orders.catalogue.search.vocabulary import count_words
from orders.catalogue.search.words import clean_search
from orders.messages.low_stock import notify_low_stock
from orders.models import Category, Popularity, Product, ProductSales, StockAlert
from tests.factories import add_product, add_shirt, add_variant

pytestmark = pytest.mark.django_db


def found(text: str = "", **filters: object) -> list[str]:
    search = Filters(search=clean_search(text), **filters)  # type: ignore[arg-type]
    return [product.sku for product in read_listing(search, size=24).products]


@pytest.fixture
def shirt() -> Product:
    shirt = add_shirt(texts={"zh-hans": {"name": "亚麻衬衫", "description": "夏天穿的"}})
    add_variant(shirt, "M", "crimson", stock=3, price="20.00")
    add_variant(
        shirt, "L", "navy", stock=0, price="40.00", texts={"zh-hans": {"options": ["L", "海军蓝"]}}
    )
    shirt.refresh_from_db()
    return shirt


def test_a_list_has_the_parent_and_none_of_its_variants(shirt: Product) -> None:
    add_product("MUG")

    for sort in Sort:
        assert sorted(found(sort=sort)) == ["MUG", "SHIRT"]
    assert read_listing(Filters(), size=24).count == 2
    assert sorted(product.sku for product in best_sellers(size=8)) == ["MUG", "SHIRT"]
    assert "/products/shirt/" in Client().get("/sitemap-products.xml").content.decode()
    assert "shirt-shirt-m" not in Client().get("/sitemap-products.xml").content.decode()


@pytest.mark.parametrize(
    "text",
    ["crimson", "navy shirt", "SHIRT-M", "crims", "衬衫", "海军蓝", "夏天", "shirt"],
    ids=str,
)
def test_the_parent_is_found_once_by_its_own_words_and_by_those_of_its_variants(
    text: str, shirt: Product
) -> None:
    add_product("MUG")

    listing = read_listing(Filters(search=text), size=24)

    assert [product.sku for product in listing.products] == ["SHIRT"]
    assert listing.count == 1
    assert found(text, sort=Sort.PRICE) == ["SHIRT"]
    assert [product.sku for product in suggest(text).products] == ["SHIRT"]
    assert {each.sku for each in near_products(read_search(text), size=8)} <= {"SHIRT"}


def test_a_typing_mistake_in_an_option_is_corrected(shirt: Product) -> None:
    count_words()

    listing = read_listing(Filters(search="crimsen"), size=24)

    assert [product.sku for product in listing.products] == ["SHIRT"]
    assert listing.search.corrected == "crimson"


def test_a_category_is_found_by_its_translation(shirt: Product) -> None:
    Category.objects.update(texts={"zh-hans": {"name": "衣服"}})

    assert found("衣服") == ["SHIRT"]


def test_price_and_stock_filters_look_at_the_variants(shirt: Product) -> None:
    assert found(least=Decimal(30)) == ["SHIRT"]
    assert found(least=Decimal(41)) == []
    assert found(least=Decimal(25), most=Decimal(35)) == []
    assert found(in_stock=True) == ["SHIRT"]
    assert found(least=Decimal(30), in_stock=True) == []  # the dear one is sold out
    assert found("navy", in_stock=True) == []
    assert found("crimson", in_stock=True) == ["SHIRT"]


def test_nothing_of_a_parent_off_sale_is_found(shirt: Product) -> None:
    Product.objects.filter(pk=shirt.pk).update(is_active=False)

    assert found("crimson") == found() == []
    assert Client().get("/products/shirt-shirt-m-crimson/").status_code == 404


def test_a_parent_sells_what_its_variants_sell(shirt: Product) -> None:
    add_product("MUG")
    ProductSales.objects.filter(product__sku="MUG").update(units=5)
    ProductSales.objects.filter(product__variant_of=shirt).update(units=4)

    note_popularity()

    assert Popularity.objects.get(product=shirt).units == 8
    assert found(sort=Sort.BEST) == ["SHIRT", "MUG"]


def test_low_stock_is_told_of_variants_and_not_of_their_parent(shirt: Product, settings) -> None:
    settings.STAFF_EMAILS = ["staff@example.org"]

    notify_low_stock()

    alerts = set(StockAlert.objects.values_list("product__sku", flat=True))
    assert "SHIRT-L-NAVY" in alerts
    assert "SHIRT" not in alerts

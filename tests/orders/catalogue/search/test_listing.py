"""What a search finds, in which order, and that its pages miss nothing."""

from decimal import Decimal

import pytest
from django.db import connection

from orders.catalogue.search.filters import Filters, Sort
from orders.catalogue.search.listing import best_sellers, near_products, read_listing
from orders.catalogue.search.pages import InvalidCursorError
from orders.catalogue.search.suggestions import suggest
from orders.models import Category, Product
from tests.orders.catalogue.search import catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _filled(django_db_setup, django_db_blocker):
    """Write the catalogue once for the module's tests, each of which is rolled back."""
    with django_db_blocker.unblock():
        catalogue.fill()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM orders_popularity; DELETE FROM orders_productsales;"
            "DELETE FROM orders_stock; DELETE FROM orders_product; DELETE FROM orders_category;"
            "DELETE FROM orders_searchword"
        )


@pytest.fixture(autouse=True)
def shop(_filled, db) -> None:
    """Let each test see the catalogue."""


def skus(text: str, **filters) -> list[str]:
    return [found.sku for found in read_listing(Filters(search=text, **filters), size=50).products]


FOUND = {
    # A word and its stem; the name before the description, what sells better first.
    "mug": ["KIT-MUG-02", "KIT-MUG-01", "KIT-POT-01", "OUT-FLA-01"],
    "Mugs": ["KIT-MUG-02", "KIT-MUG-01", "KIT-POT-01", "OUT-FLA-01"],
    "kettles": ["KIT-KET-01", "KIT-KET-02", "DSK-CAL-01"],
    "candle": ["OUT-CAN-01"],
    # Beginnings, also where PostgreSQL has a stop word.
    "not": ["DSK-NOT-01", "DSK-NOT-02", "TEA-NOT-01", "KIT-KNI-01"],
    "umb": ["OUT-UMB-01", "TEA-UMB-01"],
    "folding chai": ["OUT-CHA-01"],
    "cup for coff": ["KIT-POT-01"],
    # Typing mistakes: a swap, a missing letter, one too many, another one, two of them.
    "kettel": ["KIT-KET-01", "KIT-KET-02", "DSK-CAL-01"],
    "notebok": ["DSK-NOT-01", "DSK-NOT-02"],
    "hedphones": ["DSK-HEA-01"],
    "umbrrella": ["OUT-UMB-01"],
    "bycicle": ["OUT-BIK-01"],
    "umgs": ["KIT-MUG-02", "KIT-MUG-01", "KIT-POT-01", "OUT-FLA-01"],
    "tetns": ["OUT-TEN-01"],
    "knvies": ["OUT-KNI-01", "KIT-KNI-01"],
    "folding chiar": ["OUT-CHA-01"],
    # Accents and case, on either side.
    "cafe": ["KIT-CAF-01"],
    "CAFÉ": ["KIT-CAF-01"],
    "crepe": ["KIT-PAN-01"],
    "strassenkarte": ["DSK-STR-01"],
    "nötebook": ["DSK-NOT-01", "DSK-NOT-02"],
    # A SKU and its beginning.
    "KIT-KET-02": ["KIT-KET-02"],
    "dsk-lam": ["DSK-LAM-01", "DSK-LAM-02"],
    # A category, alone and beside words.
    "desk lamp": ["DSK-LAM-01", "DSK-LAM-02"],
    "kitchen knife": ["KIT-KNI-01"],
    # Chinese inside a text: two characters, three, one; the name before the description.
    "保温杯": ["TEA-CUP-01", "TEA-POT-02"],
    "茶壶": ["TEA-POT-01"],
    "笔记本": ["TEA-NOT-01"],
    "杯": ["TEA-CUP-01", "TEA-CUP-02", "TEA-POT-02", "TEA-SET-01"],
    "帆布 背包": ["TEA-BAG-01"],
    "茶具": ["TEA-SET-01", "TEA-CUP-01", "TEA-CUP-02", "TEA-TRA-01", "TEA-POT-01", "TEA-POT-02"],
    # Nothing.
    "xylophone": [],
    "%": [],
    "tandem kettle": [],
}


@pytest.mark.parametrize("text", FOUND)
def test_a_search_finds_what_is_meant_best_match_first(text: str) -> None:
    assert skus(text) == FOUND[text]


def test_a_new_name_is_found_at_once_whoever_writes_it() -> None:
    Product.objects.filter(sku="OUT-ROP-01").update(name="Zither")
    Category.objects.filter(slug="tea").update(name="Instruments")

    assert skus("zithers") == ["OUT-ROP-01"]
    assert "TEA-POT-01" in skus("instrument")


def test_a_correction_says_what_it_searched() -> None:
    assert read_listing(Filters(search="folding chiar"), size=9).search.corrected == "folding chair"
    assert read_listing(Filters(search="chair"), size=9).search.corrected == ""


def test_from_nothing_there_is_a_way_on() -> None:
    nothing = read_listing(Filters(search="tandem kettle"), size=9)

    assert [each.sku for each in near_products(nothing.search, size=2)] == [
        "KIT-KET-01",
        "KIT-KET-02",
    ]
    assert [each.sku for each in best_sellers(size=2)] == ["DSK-NOT-01", "KIT-POT-01"]


def test_filters_and_orders_hold_together() -> None:
    kitchen = Category.objects.get(slug="kitchen")

    assert skus("kettle", sort=Sort.PRICE) == ["DSK-CAL-01", "KIT-KET-02", "KIT-KET-01"]
    assert skus("kettle", sort=Sort.PRICE_DOWN, category=kitchen) == ["KIT-KET-01", "KIT-KET-02"]
    assert skus("mug", in_stock=True) == ["KIT-MUG-01", "KIT-POT-01", "OUT-FLA-01"]
    assert skus("mug", least=Decimal(20), most=Decimal(33)) == ["KIT-MUG-02", "OUT-FLA-01"]
    assert skus("", sort=Sort.BEST)[:3] == ["KIT-MUG-02", "DSK-NOT-01", "KIT-POT-01"]


@pytest.mark.parametrize("text", ["", "fo"])
@pytest.mark.parametrize("sort", Sort)
def test_pages_by_cursor_are_the_list_forwards_and_backwards(sort: Sort, text: str) -> None:
    Product.objects.update(price=10)  # only the last column tells them apart
    filters = Filters(search=text, sort=sort)
    whole = skus(text, sort=sort)
    page = read_listing(filters, size=7)
    forwards = [page]
    while page.next:
        page = read_listing(filters, size=7, cursor=page.next)
        forwards.append(page)
    backwards = [page]
    while page.previous:
        page = read_listing(filters, size=7, cursor=page.previous)
        backwards.append(page)

    pages = [[each.sku for each in page.products] for page in forwards]
    assert [sku for skus in pages for sku in skus] == whole
    assert [[each.sku for each in page.products] for page in backwards[::-1]] == pages
    numbered = [read_listing(filters, size=7, page=number) for number in (1, 2, 99)]
    assert [[each.sku for each in page.products] for page in numbered] == [*pages[:2], []]


def test_a_cursor_of_another_order_or_from_elsewhere_is_refused() -> None:
    cursor = read_listing(Filters(sort=Sort.PRICE), size=7).next

    for foreign in (cursor + "x", "x", cursor[1:]):
        with pytest.raises(InvalidCursorError):
            read_listing(Filters(sort=Sort.PRICE), size=7, cursor=foreign)
    with pytest.raises(InvalidCursorError):
        read_listing(Filters(sort=Sort.NEWEST), size=7, cursor=cursor)


def test_a_cursor_of_another_search_in_the_same_order_is_only_a_place() -> None:
    first = read_listing(Filters(search="KIT-"), size=3)
    second = read_listing(Filters(search="KIT-"), size=3, cursor=first.next)
    before = read_listing(Filters(search="mug"), size=3, cursor=second.previous)

    assert before.count == 4
    assert before.products == []  # no mug fits as well as a SKU


def test_suggestions_follow_what_is_typed() -> None:
    typed = {text: suggest(text) for text in ("k", "ke", "kettel", "kitch", "保")}

    assert typed["k"].products == []
    assert typed["ke"].products[0].sku == "KIT-KET-01"
    assert typed["kettel"].corrected == "kettle"
    assert [each.slug for each in typed["kitch"].categories] == ["kitchen"]
    assert typed["保"].products[0].sku == "TEA-CUP-01"

"""What searches and lists cost PostgreSQL in a catalogue of some thousands of products."""

import pytest
from django.db import connection

from orders.catalogue.search.filters import BY_NAME, Filters, Sort
from orders.catalogue.search.listing import read_listing
from orders.catalogue.search.pages import read_cursor, read_page
from orders.catalogue.search.popularity import note_popularity
from orders.catalogue.search.spelling import nearest_word, rests
from orders.catalogue.search.vocabulary import Vocabulary
from orders.models import Popularity, Product, ProductSales, SearchWord
from orders.models.product import ON_SALE
from project.database.plans import Cost, explained
from tests.factories import add_product

FILL = """
INSERT INTO orders_category (name, slug, position) VALUES ('Rare', 'rare', 1), ('Rest', 'rest', 2);
INSERT INTO orders_product (sku, slug, name, category_id, price, is_active, description)
SELECT 'S' || lpad(i::text, 5, '0'), 's' || i, 'Thing ' || substr(md5(i::text), 1, 5),
    (SELECT id FROM orders_category WHERE slug = CASE WHEN i % 500 = 0 THEN 'rare' ELSE 'rest' END),
    i % 900, true, CASE WHEN i % 400 = 0 THEN 'Of copper.' ELSE 'Of steel.' END
FROM generate_series(1, 6000) AS i;
INSERT INTO orders_stock (product_id, initial, available) SELECT id, 5, 5 FROM orders_product;
INSERT INTO orders_productsales (product_id, units, amount)
SELECT id, id % 77, 0 FROM orders_product;
ANALYZE orders_product, orders_category, orders_stock;
"""


def costs(filters: Filters, cursor: str = "") -> list[Cost]:
    with explained() as found:
        read_listing(filters, size=24, cursor=cursor)
    return found


def cost_of_a_page(filters: Filters, *, cursor: str = "", first: int = 0) -> Cost:
    """Return what the page costs without the count beside it, which reads what it counts."""
    order = BY_NAME if filters.order == Sort.RELEVANCE else filters.order
    products = filters.apply(Product.objects.filter(ON_SALE))
    place = read_cursor(cursor, order=filters.order)
    with explained() as found:
        read_page(products, order=order, size=24, cursor=place, first=first)
    (page,) = found
    return page


@pytest.mark.django_db
def test_no_page_of_a_list_and_no_search_reads_the_catalogue_whole() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL)
        note_popularity()
        cursor.execute("ANALYZE orders_popularity; SET LOCAL random_page_cost = 1.1")
        cursor.execute("SELECT tablename FROM pg_stats WHERE tablename LIKE 'product%words'")
        assert cursor.fetchall() == []  # ANALYZE computes no words
    for sort in Sort:
        second = read_listing(Filters(sort=sort), size=24).next
        page = cost_of_a_page(Filters(sort=sort), cursor=second)
        assert page.buffers < 200, page.sql
        assert "orders_product" not in page.scanned
    numbered = cost_of_a_page(Filters(sort=Sort.BEST), first=24)
    assert numbered.buffers < 400
    assert "orders_product" not in numbered.scanned
    assert_the_best_sellers_of_many_come_first()
    found = costs(Filters(search="copper"))
    assert not any("orders_product" in each.scanned for each in found)
    assert sum(each.buffers for each in found) < 600

    with connection.cursor() as cursor:  # the control: without its index it is read whole
        cursor.execute("DROP INDEX product_words")
        cursor.execute("ALTER FUNCTION shop_words(text) COST 1")
    assert any("orders_product" in each.scanned for each in costs(Filters(search="copper")))


def assert_the_best_sellers_of_many_come_first() -> None:
    """1,500 names have the word, and more than 4,000 other descriptions: pages cross over."""
    best = list(
        Popularity.objects.order_by("-units", "-product_id").values_list("product_id", "units")
    )
    steel = set(Product.objects.filter(description="Of steel.").values_list("pk", flat=True))
    named = set(sorted(steel)[:1500])
    Product.objects.filter(pk__in=named).update(name="Steel")
    expected = [pk for pk, _units in best if pk in named]
    expected += [pk for pk, _units in best if pk in steel - named]

    first = read_listing(Filters(search="steel"), size=1400)
    second = read_listing(Filters(search="steel"), size=1400, cursor=first.next)
    again = read_listing(Filters(search="steel"), size=1400, cursor=second.previous)
    numbered = read_listing(Filters(search="steel"), size=1400, page=2)

    assert first.count == second.count == len(steel)
    assert [each.pk for each in first.products] == expected[:1400]
    assert [each.pk for each in second.products] == expected[1400:2800]
    assert [each.pk for each in again.products] == expected[:1400]
    assert [each.pk for each in numbered.products] == expected[1400:2800]


@pytest.mark.django_db
def test_no_correction_compares_all_words_of_the_catalogue() -> None:
    SearchWord.objects.bulk_create(
        SearchWord(word=word, products=9, near=rests(word))
        for word in ("shelf", *(f"{number:05x}s"[::-1] for number in range(3000)))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_searchword; SET LOCAL random_page_cost = 1.1")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")

    with explained() as ours:
        assert nearest_word("shelves") == "shelf"
    with explained() as control:  # all rests at once
        assert SearchWord.objects.filter(near__overlap=rests("shelves")).count() > 0

    assert "orders_searchword" not in ours[0].scanned
    assert "orders_searchword" in control[0].scanned


@pytest.mark.django_db
def test_popularity_follows_the_sales_and_writes_only_what_changed() -> None:
    mug, cup = add_product("MUG"), add_product("CUP")
    ProductSales.objects.filter(product=mug).update(units=7)
    Popularity.objects.filter(product=cup).delete()

    assert note_popularity() == 2
    assert note_popularity() is None
    assert dict(Popularity.objects.values_list("product", "units")) == {mug.pk: 7, cup.pk: 0}


@pytest.mark.django_db(transaction=True)
def test_the_words_are_counted_again_when_the_catalogue_was_written() -> None:
    product = add_product("MUG")
    keep = Vocabulary().keep

    assert keep()
    assert set(SearchWord.objects.values_list("word", flat=True)) == {"thing", "mug", "things"}
    Product.objects.filter(pk=product.pk).update(name="Samovar")
    assert Vocabulary().keep()  # of another relay, which doesn't know of the first count
    assert "samovar" in SearchWord.objects.values_list("word", flat=True)
    assert "mug" not in SearchWord.objects.values_list("word", flat=True)

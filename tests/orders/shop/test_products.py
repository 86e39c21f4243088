"""The pages that show what there is to buy."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.publishing import publish
from orders.models import Category, Product, ProductMedia
from tests.factories import add_product
from tests.orders.shop.pages import add, text_of

pytestmark = pytest.mark.django_db


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


def give_picture(product: Product) -> None:
    """A picture with its renditions, as a finished media job leaves them."""
    asset = Asset.objects.create(
        file="originals/x.png", sha256=product.sku.rjust(64, "0"), content_type="image/png", size=1
    )
    job = MediaJob.objects.create(
        kind="product", recipe="product", source=f"asset:{asset.pk}", asset=asset, status="done"
    )
    for name in ("card", "page", "zoom"):
        for file_format in ("avif", "webp", "jpeg"):
            Rendition.objects.create(
                job=job,
                name=name,
                format=file_format,
                width=640,
                height=640,
                size=1,
                file=f"renditions/{product.sku}-{name}.{file_format}",
            )
    publish(asset)
    ProductMedia.objects.create(product=product, asset=asset, alt=f"Picture of {product.sku}")


def test_the_shop_lists_products_on_sale_with_price_and_stock(client: Client) -> None:
    add_product("MANY", stock=100, price="1234.50")
    add_product("FEW", stock=5)
    add_product("NONE", stock=0)
    add_product("OLD", active=False)

    page = client.get("/")

    text = text_of(page)
    assert "Thing MANY" in text
    assert "€1,234.50" in text
    assert "Few left" in text
    assert "Sold out" in text
    assert "Thing OLD" not in text
    assert "3 products" in text


def test_only_what_is_there_can_be_added_from_the_list(client: Client) -> None:
    add_product("MANY")
    add_product("NONE", stock=0)

    page = client.get("/")

    assert 'aria-label="Add Thing MANY to the cart"' in page.content.decode()
    assert 'aria-label="Add Thing NONE to the cart"' not in page.content.decode()


def test_a_category_shows_its_own_and_the_search_stays(client: Client) -> None:
    lamp = add_product("LAMP")
    desk = Category.objects.create(name="Desk", slug="desk")
    Product.objects.filter(pk=lamp.pk).update(category=desk)
    add_product("MUG")

    page = client.get("/", {"category": "desk", "q": "thing"})

    assert "Thing LAMP" in text_of(page)
    assert "Thing MUG" not in text_of(page)
    assert "/?category=things&amp;q=thing" in page.content.decode()


def test_a_category_without_products_on_sale_is_not_offered(client: Client) -> None:
    add_product("OLD", active=False)

    assert "Things" not in text_of(client.get("/"))


def test_the_list_asks_as_often_for_one_product_as_for_many(client: Client) -> None:
    give_picture(add_product("FIRST"))
    few = queries(client, "/")
    for number in range(10):
        give_picture(add_product(f"N{number}"))

    assert queries(client, "/") == few
    assert few <= 8


def test_a_product_has_its_page(client: Client) -> None:
    product = add_product("MUG", stock=3, price="9.90")
    Product.objects.filter(pk=product.pk).update(description="Heavy.\n\nHolds <b>tea</b>.")

    page = client.get("/products/mug/")

    assert "Thing MUG" in text_of(page)
    assert "€9.90" in text_of(page)
    assert "Few left" in text_of(page)
    assert "Holds &lt;b&gt;tea&lt;/b&gt;." in page.content.decode()
    assert 'max="999"' in page.content.decode()  # as in the cart; it tells nothing of the stock
    assert "Delivered in at most" in text_of(page)


def test_a_sold_out_product_says_so_and_can_not_be_added(client: Client) -> None:
    add_product("MUG", stock=0)

    page = client.get("/products/mug/")

    assert "Sold out" in text_of(page)
    assert "Add to cart" not in text_of(page)


def test_a_product_without_a_stock_row_counts_as_sold_out(client: Client) -> None:
    product = add_product("MUG")
    product.stock.delete()

    assert "Sold out" in text_of(client.get("/"))
    assert "Sold out" in text_of(client.get("/products/mug/"))


def test_its_picture_comes_in_every_format_and_leads_to_the_large_one(client: Client) -> None:
    give_picture(add_product("MUG"))

    page = client.get("/products/mug/").content.decode()

    assert 'srcset="/media/renditions/MUG-page.avif"' in page
    assert 'alt="Picture of MUG"' in page
    assert 'href="/media/renditions/MUG-zoom.jpeg"' in page


def test_several_pictures_have_thumbnails_and_one_has_none(client: Client) -> None:
    product = add_product("MUG")
    give_picture(product)
    assert "gallery-thumbs" not in client.get("/products/mug/").content.decode()
    medium = product.media.get()
    ProductMedia.objects.create(product=product, asset=medium.asset, position=1)

    page = client.get("/products/mug/").content.decode()

    assert page.count('class="gallery-item"') == 2
    assert 'href="#picture-2"' in page
    assert page.count('fetchpriority="high"') == 1


def test_few_begins_at_the_products_own_threshold(client: Client) -> None:
    add_product("MUG", stock=20, low_stock=20)

    assert "Few left" in text_of(client.get("/products/mug/"))
    assert "20" not in text_of(client.get("/products/mug/"))


def test_its_page_shows_others_of_its_category(client: Client) -> None:
    add_product("MUG")
    add_product("CUP")

    assert "Thing CUP" in text_of(client.get("/products/mug/"))


def test_its_page_asks_as_often_with_many_others_as_with_one(client: Client) -> None:
    give_picture(add_product("MUG"))
    give_picture(add_product("FIRST"))
    few = queries(client, "/products/mug/")
    for number in range(10):
        give_picture(add_product(f"N{number}"))

    assert queries(client, "/products/mug/") == few
    assert few <= 10


@pytest.mark.parametrize("slug", ["nope", "old"])
def test_what_is_not_on_sale_has_no_page(client: Client, slug: str) -> None:
    add_product("OLD", active=False)

    assert client.get(f"/products/{slug}/").status_code == 404


def test_who_only_looks_gets_no_session(client: Client) -> None:
    add_product("MUG")

    for path in ("/", "/?q=mug", "/products/mug/", "/cart/", "/checkout/"):
        client.get(path)

    assert "sessionid" not in client.cookies
    assert not Session.objects.exists()


def test_every_page_shows_how_full_the_cart_is(client: Client) -> None:
    add_product("MUG")
    add(client, "MUG", 3)

    assert "3 items" in text_of(client.get("/"))


def test_the_language_can_be_switched(client: Client) -> None:
    answer = client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})

    assert answer.headers["Location"] == "/"
    page = client.get("/")
    assert '<html lang="zh-hans">' in page.content.decode()
    assert "English" in text_of(page)  # a language is called as those call it who speak it


def test_the_policy_forbids_what_is_not_ours(client: Client) -> None:
    add_product("MUG")

    page = client.get("/")

    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    assert 'style="' not in page.content.decode()
    assert "<script>" not in page.content.decode()

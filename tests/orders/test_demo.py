"""The demo shop: filled once, completely or not at all."""

from io import BytesIO, StringIO

import pytest
from django.core.management import call_command
from PIL import Image

from media_jobs.models import Asset, MediaJob
from orders.demo import Filled, fill_empty_shop, shop
from orders.demo.pictures import Pictures, count_pictures
from orders.management.commands import demo
from orders.models import Category, Product, ProductMedia, Stock
from orders.models.product import IS_LISTED, IS_PARENT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path, monkeypatch):
    """A folder of the test's own, and pictures small enough for it to be quick."""
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(shop, "PICTURE_SIDE", 200)


def test_the_demo_shop_has_thirteen_products_in_three_categories():
    assert fill_empty_shop() == Filled(categories=3, products=13, pictures=14)

    assert Category.objects.count() == 3
    listed = Product.objects.filter(IS_LISTED, is_active=True, price__gt=0)
    assert listed.exclude(description="").count() == 13
    assert {listed.filter(category=category).count() for category in Category.objects.all()} == {
        4,
        5,
    }


def test_one_product_has_variants_of_which_one_is_sold_out_and_one_does_not_exist():
    fill_empty_shop()

    (shirt,) = Product.objects.filter(IS_PARENT)
    variants = shirt.variants.order_by("pk")
    assert [variant.options for variant in variants] == [
        ["S", "moss"],
        ["M", "moss"],
        ["L", "moss"],
        ["S", "rust"],
        ["M", "rust"],
    ]
    assert [variant.sku for variant in variants if not variant.stock.available] == [
        "OUT-SHIRT-S-RUST"
    ]
    assert {variant.media.count() for variant in variants} == {1}
    assert variants[3].texts["zh-hans"]["name"] == "双人车T恤，S，锈红"


def test_all_texts_but_those_of_one_product_are_in_both_languages():
    fill_empty_shop()

    own = Product.objects.filter(texts={})
    assert [product.sku for product in own] == ["OUT-LANTERN"]
    assert not Category.objects.filter(texts={}).exists()
    pictures = ProductMedia.objects.filter(texts={})
    assert [picture.product.sku for picture in pictures] == ["OUT-LANTERN"]


def test_one_product_has_five_left_one_is_sold_out_and_of_the_others_there_is_plenty():
    fill_empty_shop()

    simple = Stock.objects.filter(product__options=[])
    levels = sorted(simple.values_list("available", flat=True))
    assert levels[:2] == [0, 5]
    assert levels[2] >= 40
    assert all(stock.initial == stock.available for stock in Stock.objects.all())


def test_each_product_has_a_picture_of_its_own_with_its_renditions_queued():
    fill_empty_shop()

    images = ProductMedia.objects.select_related("asset")
    assert images.count() == 12 + 5
    assert all(image.alt for image in images)
    assert Asset.objects.count() == 14
    assert MediaJob.objects.ready().filter(recipe="product").count() == 14
    for image in images:
        with image.asset.file.open("rb") as file:
            picture = Image.open(BytesIO(file.read()))
        assert (picture.format, picture.size) == ("PNG", (200, 200))


def test_a_second_start_changes_nothing():
    fill_empty_shop()
    before = list(Product.objects.order_by("pk").values()), MediaJob.objects.count()

    assert fill_empty_shop() is None

    assert (list(Product.objects.order_by("pk").values()), MediaJob.objects.count()) == before


def test_a_shop_with_one_product_of_its_own_is_left_alone():
    category = Category.objects.create(name="Mine", slug="mine")
    Product.objects.create(sku="X", name="X", slug="x", category=category, price=1)

    assert fill_empty_shop() is None

    assert Product.objects.count() == 1
    assert not Asset.objects.exists()


def test_a_demo_that_dies_half_way_leaves_no_rows_and_the_next_one_makes_all(monkeypatch):
    add_media, added = "orders.demo.shop.add_media", []

    def dies(**_values):
        added.append(1)
        if len(added) == 7:
            raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(add_media, dies)
        with pytest.raises(RuntimeError):
            fill_empty_shop()
    assert not Product.objects.exists()
    assert not Category.objects.exists()

    assert fill_empty_shop() is not None
    assert (Product.objects.count(), Asset.objects.count()) == (13 + 5, 14)


def test_the_command_says_what_it_did():
    first, second = StringIO(), StringIO()

    call_command("demo", stdout=first)
    call_command("demo", stdout=second)

    assert "13 products in 3 categories" in first.getvalue()
    assert "nothing to do" in second.getvalue()


def test_the_command_waits_until_the_pictures_are_made(monkeypatch):
    fill_empty_shop()
    monkeypatch.setattr(demo.time, "sleep", lambda _seconds: MediaJob.objects.update(status="done"))
    said = StringIO()

    call_command("demo", "--wait", stdout=said)

    assert said.getvalue() == "All 14 pictures are made.\n"


def test_a_picture_that_failed_keeps_nobody_waiting():
    fill_empty_shop()
    MediaJob.objects.update(status="failed")

    assert count_pictures() == Pictures(all=14, unmade=0)


def test_the_command_does_not_wait_for_ever(monkeypatch):
    fill_empty_shop()
    monkeypatch.setattr(demo, "LONGEST_WAIT", 0)
    said = StringIO()

    call_command("demo", "--wait", stdout=said)

    assert "the shop shows each when it is made" in said.getvalue()

"""Changing the catalogue."""

from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from media_jobs.assets import store_asset
from media_jobs.models import MediaJob
from orders.catalogue.products import add_media, create_product
from orders.models import Category, Product, ProductSales, Stock
from tests.media_jobs.originals import alpha_png, photo, saved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def mug(**changes) -> Product:
    category, _created = Category.objects.get_or_create(name="Kitchen", slug="kitchen")
    values = {"sku": "MUG", "name": "Mug", "slug": "mug", "price": Decimal("18.50"), "stock": 7}
    return create_product(category=category, **{**values, **changes})


def test_a_product_begins_with_its_stock_and_with_no_sales():
    product = mug()

    assert (product.stock.initial, product.stock.available) == (7, 7)
    assert (product.sales.units, product.sales.amount) == (0, Decimal(0))
    assert product.is_active


def test_a_product_that_cannot_be_made_leaves_nothing():
    mug()

    with pytest.raises(IntegrityError), transaction.atomic():
        mug(slug="another")

    assert Product.objects.count() == Stock.objects.count() == ProductSales.objects.count() == 1


def test_pictures_keep_the_order_in_which_they_were_added_and_are_queued():
    product = mug()
    first = store_asset(ContentFile(alpha_png()), name="first")
    second = store_asset(ContentFile(saved(photo(), "PNG")), name="second")

    add_media(product=product, asset=first, alt="A disc")
    add_media(product=product, asset=second)

    assert [image.asset for image in product.media.all()] == [first, second]
    assert [image.position for image in product.media.all()] == [0, 1]
    assert set(MediaJob.objects.values_list("asset", "recipe")) == {
        (first.pk, "product"),
        (second.pk, "product"),
    }

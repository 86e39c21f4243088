"""How many queries the pages that everybody looks at take, whatever there is to show."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_jobs.models import Asset
from media_jobs.publishing import order_of
from media_jobs.recipes import PRODUCT
from orders.models import Product, ProductMedia
from tests.factories import add_product

pytestmark = pytest.mark.django_db

MOST = {"/": 4, "/products/sku-1/": 5, "/api/v1/products": 2, "/api/v1/products/SKU-1": 2}


@pytest.fixture
def products() -> list[Product]:
    """Products with three pictures each, two of them replaced."""
    products = [add_product(f"SKU-{number}") for number in range(12)]
    for product in products:
        for position in range(3):
            replacement = picture(f"{product.sku}-{position}-new") if position != 1 else None
            ProductMedia.objects.create(
                product=product,
                asset=picture(f"{product.sku}-{position}"),
                replacement=replacement,
                position=position,
            )
    return products


def picture(name: str) -> Asset:
    """An asset with all renditions of its recipe, as it is published."""
    files = [
        {
            "name": rendition,
            "format": file_format,
            "width": 640,
            "height": 480,
            "seconds": None,
            "file": f"renditions/{name}/{rendition}.{file_format}",
        }
        for rendition, file_format in order_of(PRODUCT)
    ]
    published = {"placeholder": "data:image/webp;base64,AAAA", "files": files}
    return Asset.objects.create(sha256=name, content_type="image/png", size=1, published=published)


@pytest.mark.parametrize("path", MOST)
def test_a_page_takes_few_queries_however_many_renditions(
    path: str, products: list[Product]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get(path)

    assert answer.status_code == 200
    assert "renditions/SKU-1-0-new/card.webp" in answer.content.decode()
    assert len(queries) <= MOST[path]


def test_the_pages_take_as_few_for_a_shopper_who_looked_at_others(
    products: list[Product],
) -> None:
    client = Client()
    client.get("/products/sku-3/")

    for path in ("/", "/products/sku-1/"):
        with CaptureQueriesContext(connection) as queries:
            assert "Thing SKU-3" in client.get(path).content.decode()
        assert len(queries) <= MOST[path]

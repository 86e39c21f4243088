"""`GET products`."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.publishing import publish
from orders.catalogue.search.vocabulary import count_words
from orders.models import Popularity, Product, ProductMedia, ProductSales
from tests.factories import add_product

pytestmark = pytest.mark.django_db

URL = "/api/v1/products"


def get(path: str = "", **query: Any) -> Any:
    return Client().get(URL + path, query)


def picture(product: Product) -> Rendition:
    asset = Asset.objects.create(sha256=product.sku, content_type="image/png", size=1)
    ProductMedia.objects.create(product=product, asset=asset)
    job = MediaJob.objects.create(
        kind="renditions", source=f"asset:{asset.pk}", recipe="product", asset=asset
    )
    rendition = Rendition.objects.create(
        job=job,
        name="card",
        format="webp",
        width=640,
        height=480,
        size=1,
        file=f"renditions/{product.sku}.webp",
    )
    publish(asset)
    return rendition


def test_a_product_says_what_it_costs_and_how_many_are_left() -> None:
    product = add_product("MUG", stock=7, price="12.30")
    ProductSales.objects.filter(product=product).update(units=3)

    answer = get("/MUG")

    assert answer.status_code == 200
    assert answer.json() == {
        "sku": "MUG",
        "name": "Thing MUG",
        "price": "12.30",
        "currency": settings.SHOP_CURRENCY,
        "available": 7,
        "units_sold": 3,
        "images": [],
        "videos": [],
        "personalisation": "none",
        "requires_upload": False,
        "weight": None,
        "variants": [],
    }


def test_its_pictures_have_absolute_urls() -> None:
    product = add_product("MUG")
    rendition = picture(product)

    images = get("/MUG").json()["images"]

    assert images == [
        {
            "rendition": "card",
            "format": "webp",
            "width": 640,
            "height": 480,
            "url": settings.SITE_URL + rendition.file.url,
        }
    ]


@pytest.mark.parametrize("sku", ["NONE", "HIDDEN", "MUG%00", "X" * 3000])
def test_what_is_not_on_sale_is_not_there(sku: str) -> None:
    add_product("MUG")
    add_product("HIDDEN", active=False)

    answer = get(f"/{sku}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_the_list_has_what_is_on_sale_by_name() -> None:
    for sku in ("B", "A", "C"):
        add_product(sku)
    add_product("HIDDEN", active=False)

    answer = get().json()

    assert [item["sku"] for item in answer["items"]] == ["A", "B", "C"]
    assert answer["count"] == 3


def test_a_page_has_fifty_products() -> None:
    for number in range(51):
        add_product(f"SKU-{number:02}")

    first, second, third = (get(page=page).json() for page in (1, 2, 3))

    assert [len(page["items"]) for page in (first, second, third)] == [50, 1, 0]
    assert {page["count"] for page in (first, second, third)} == {51}
    assert second["items"][0]["sku"] == "SKU-50"


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "", "9" * 30])
def test_a_page_that_can_not_be_is_named(page: str) -> None:
    answer = get(page=page)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["page"]


@pytest.mark.parametrize("search", ["\x00", "x" * 101])
def test_a_search_that_can_not_be_is_named(search: str) -> None:
    answer = get(search=search)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["search"]


def test_the_list_takes_as_many_queries_for_one_product_as_for_many() -> None:
    picture(add_product("FIRST"))
    with CaptureQueriesContext(connection) as alone:
        get()
    for number in range(10):
        picture(add_product(f"SKU-{number}"))

    with CaptureQueriesContext(connection) as many:
        answer = get()

    assert sum(len(item["images"]) for item in answer.json()["items"]) == 11
    assert len(many) == len(alone) <= 7


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("relevance", ["A", "B", "C"]),
        ("price", ["C", "A", "B"]),
        ("-price", ["B", "A", "C"]),
        ("newest", ["C", "B", "A"]),
        ("best", ["B", "C", "A"]),
    ],
)
def test_the_list_is_sorted(sort: str, expected: list[str]) -> None:
    for sku, price, units in (("A", "5.00", 1), ("B", "7.00", 9), ("C", "2.00", 4)):
        product = add_product(sku, price=price)
        Popularity.objects.filter(product=product).update(units=units)

    assert [item["sku"] for item in get(sort=sort).json()["items"]] == expected
    assert [item["sku"] for item in get(sort=sort, search="thing").json()["items"]] == (
        ["B", "C", "A"] if sort == "relevance" else expected
    )


def test_cursors_lead_through_the_whole_list() -> None:
    for number in range(101):
        add_product(f"SKU-{number:03}")

    pages = [get(category="things").json()]
    while cursor := pages[-1]["next"]:
        pages.append(get(category="things", cursor=cursor).json())

    assert [len(page["items"]) for page in pages] == [50, 50, 1]
    assert len({item["sku"] for page in pages for item in page["items"]}) == 101
    assert {page["count"] for page in pages} == {101}
    assert get(category="things", cursor=pages[1]["previous"]).json()["items"] == pages[0]["items"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "cheapest"},
        {"sort": ""},
        {"category": "nope"},
        {"cursor": "nope"},
        {"cursor": "\x00"},
    ],
)
def test_what_the_list_can_not_be_asked_is_named(query: dict[str, str]) -> None:
    add_product("MUG")

    answer = get(**query)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_a_typing_mistake_is_corrected_and_said() -> None:
    add_product("KETTLE")
    count_words()

    answer = get(search="kettel").json()

    assert [item["sku"] for item in answer["items"]] == ["KETTLE"]
    assert answer["corrected"] == "kettle"

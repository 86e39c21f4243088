"""Variants in the API: `variants` of each item, and orders by their SKUs."""

import json
from typing import Any

import pytest
from django.test import Client

from orders.models import Product, ProductSales
from tests.factories import add_product, add_shirt, add_variant, new_key
from tests.orders.variants.pictures import picture

URL = "/api/v1/products"


@pytest.fixture
def shirt(db: None) -> Product:
    shirt = add_shirt()
    for colour in ("red", "blue"):
        variant = add_variant(shirt, "M", colour, stock=3 if colour == "red" else 0)
        picture(variant, colour)
        ProductSales.objects.filter(product=variant).update(units=4)
    return shirt


@pytest.mark.django_db
def test_an_item_has_its_variants_each_with_price_stock_and_picture(shirt: Product) -> None:
    add_variant(shirt, "L", "red", price="25.00", stock=2)
    mug = add_product("MUG")

    items = {item["sku"]: item for item in Client().get(URL).json()["items"]}

    assert set(items) == {"SHIRT", mug.sku}  # a variant is no item of the list
    assert items["MUG"]["variants"] == []
    item = items["SHIRT"]
    assert (item["price"], item["available"], item["units_sold"]) == ("20.00", 5, 8)
    assert len({image["url"].split("/")[-2] for image in item["images"]}) == 2
    first = dict(item["variants"][0])
    images = first.pop("images")
    assert first == {
        "sku": "SHIRT-M-RED",
        "name": "Thing SHIRT, M, red",
        "options": {"Size": "M", "Colour": "red"},
        "price": "20.00",
        "currency": "EUR",
        "available": 3,
    }
    assert {image["url"].split("/")[-2] for image in images} == {"red"}
    assert [(each["sku"], each["price"], each["available"]) for each in item["variants"]] == [
        ("SHIRT-M-RED", "20.00", 3),
        ("SHIRT-M-BLUE", "20.00", 0),
        ("SHIRT-L-RED", "25.00", 2),
    ]
    assert Client().get(f"{URL}/SHIRT").json() == item


@pytest.mark.django_db
def test_a_variant_is_read_by_its_own_sku(shirt: Product) -> None:
    item = Client().get(f"{URL}/SHIRT-M-RED").json()

    assert (item["name"], item["available"], item["variants"]) == ("Thing SHIRT, M, red", 3, [])
    assert item["units_sold"] == 4


def post(*skus: str) -> Any:
    body = {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "lines": [{"sku": sku, "quantity": 1} for sku in skus],
    }
    return Client().post(
        "/api/v1/orders",
        json.dumps(body),
        content_type="application/json",
        headers={"idempotency-key": new_key()},
    )


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_an_order_is_of_a_variant_and_not_of_its_parent(shirt: Product) -> None:
    refused = post("SHIRT")
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "lines.0.sku"
    assert "variants" in error["message"]

    placed = post("SHIRT-M-RED")
    assert placed.status_code == 201
    assert placed.json()["lines"][0]["name"] == "Thing SHIRT, M, red"

    sold_out = post("SHIRT-M-BLUE")
    assert sold_out.json()["code"] == "out_of_stock"


def test_the_document_describes_variants_with_an_example() -> None:
    schemas = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]

    assert "variants" in schemas["ProductOut"]["required"]
    options = schemas["VariantOut"]["properties"]["options"]
    assert options["examples"] == [{"Size": "M", "Colour": "red"}]

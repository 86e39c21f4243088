"""Variants as rows: what the database refuses, and what follows from the parent."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.utils.translation import override

from orders.catalogue.scheduled_changes import apply_scheduled
from orders.catalogue.variants import (
    VariantError,
    create_variant,
    keep_variants,
    make_parent,
)
from orders.models import Product, ScheduledChange
from tests.factories import add_product, add_shirt, add_variant

pytestmark = pytest.mark.django_db


def test_a_variant_is_a_product_with_the_parents_name_and_its_options() -> None:
    shirt = add_shirt(weight=220)

    variant = add_variant(shirt, "M", "red", stock=7, price="19.90")

    assert (variant.name, variant.category) == ("Thing SHIRT, M, red", shirt.category)
    assert (variant.stock.available, variant.price, variant.weight) == (7, Decimal("19.90"), 220)
    assert not variant.is_parent
    assert shirt.is_parent


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO orders_product (sku, slug, name, category_id, description, price, is_active,"
        " variant_of_id, options) SELECT 'X', 'x', 'X', category_id, '', 1, true, variant_of_id,"
        " options FROM orders_product WHERE sku = 'SHIRT-M-RED'",
        "UPDATE orders_product SET options = '{}' WHERE sku = 'SHIRT-M-RED'",
        "UPDATE orders_product SET variant_of_id = id WHERE sku = 'SHIRT'",
        "DELETE FROM orders_product WHERE sku = 'SHIRT'",
    ],
    ids=["the same options twice", "no options", "of itself", "a parent with variants"],
)
def test_the_database_refuses(change: str) -> None:
    add_variant(add_shirt(), "M", "red")

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError):
            cursor.execute(change)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("M", "red"), "Another variant has these options"),
        (("M",), "a value for each of: Size | Colour"),
        (("M", ""), "a value for each of"),
    ],
)
def test_a_variant_that_can_t_be_is_refused_in_words(options: tuple[str, ...], said: str) -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red")

    with pytest.raises(VariantError, match=said):
        create_variant(parent_id=shirt.pk, options=options, sku="X", price=Decimal(1))


def test_a_variant_has_no_variants() -> None:
    variant = add_variant(add_shirt(), "M", "red")

    with pytest.raises(VariantError, match="is a variant itself"):
        add_variant(variant, "M", "red")
    with pytest.raises(VariantError, match="is a variant itself"):
        make_parent(variant.pk, ["Size"])


def test_a_product_without_options_has_no_variants_until_it_has_some() -> None:
    mug = add_product("MUG")
    with pytest.raises(VariantError, match="has no options"):
        add_variant(mug, "blue")

    make_parent(mug.pk, ["Colour"])

    assert add_variant(Product.objects.get(pk=mug.pk), "blue").name == "Thing MUG, blue"
    with pytest.raises(VariantError, match="variants with 1 options"):
        make_parent(mug.pk, [])
    with pytest.raises(VariantError, match="a name of its own"):
        make_parent(add_product("CUP").pk, ["Size", "size"])


def test_the_parent_has_the_lowest_price_of_those_on_sale_also_when_it_is_changed_on_time() -> None:
    shirt = add_shirt(price="99.00")
    small, medium = add_variant(shirt, "S", "red"), add_variant(shirt, "M", "red", price="18.00")
    shirt.refresh_from_db()
    assert shirt.price == Decimal("18.00")

    ScheduledChange.objects.create(
        product=small, what="price", price=Decimal("15.00"), at="2020-01-01T00:00Z"
    )
    apply_scheduled()
    shirt.refresh_from_db()
    assert shirt.price == Decimal("15.00")

    Product.objects.filter(pk__in=[small.pk, medium.pk]).update(is_active=False)
    keep_variants(shirt.pk)
    shirt.refresh_from_db()
    assert shirt.price == Decimal("15.00")  # of none there is no lowest


def test_names_follow_the_parent_in_each_language() -> None:
    shirt = add_shirt()
    variant = add_variant(shirt, "M", "red", texts={"zh-hans": {"options": ["M", "红色"]}})
    assert variant.texts["zh-hans"]["name"] == "Thing SHIRT，M，红色"

    Product.objects.filter(pk=shirt.pk).update(
        name="T-shirt", texts={"zh-hans": {"name": "T恤", "options": ["尺码", "颜色"]}}
    )
    keep_variants(shirt.pk)

    variant.refresh_from_db()
    assert variant.name == "T-shirt, M, red"
    with override("zh-hans"):
        assert variant.shown_name == "T恤，M，红色"
        assert variant.foreign_language("name") == ""


def test_what_is_not_translated_is_in_the_shops_own_language_and_says_so() -> None:
    mug = add_product("MUG", texts={"zh-hans": {"description": "蓝色"}}, description="Blue.")

    with override("zh-hans"):
        assert (mug.shown_name, mug.foreign_language("name")) == ("Thing MUG", "en")
        assert (mug.text("description"), mug.foreign_language("description")) == ("蓝色", "")
    with override("en"):
        assert mug.foreign_language("name") == ""
        assert mug.text("description") == "Blue."

"""Variants and translations at the desk: on the product's page, by role, in lists and orders."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from orders.desk.new_order.lines import find_products
from orders.models import Category, Product, ProductMedia, StockMovement, User
from tests.factories import add_product, add_shirt, add_variant
from tests.order_states import placed
from tests.orders.shop.pages import text_of
from tests.orders.variants.pictures import picture
from tests.pages import open_page

pytestmark = pytest.mark.django_db


def page_of(product: Product) -> str:
    return f"/admin/orders/product/{product.pk}/change/"


def test_a_product_gets_options_and_then_variants_on_its_page(admin_client: Client) -> None:
    shirt = add_product("SHIRT", stock=0)
    open_page(admin_client, page_of(shirt)).send(options="Size | Colour")
    shirt.refresh_from_db()
    assert shirt.options == ["Size", "Colour"]

    answer = open_page(admin_client, page_of(shirt)).send(
        **{
            "variants-TOTAL_FORMS": "2",
            "variants-0-options": "M | red",
            "variants-0-options_zh_hans": "M | 红色",
            "variants-0-sku": "SHIRT-M",
            "variants-0-price": "19.90",
            "variants-0-stock": "7",
            "variants-0-is_active": "on",
            "variants-0-position": "1",
            "variants-1-options": "L | red",
            "variants-1-sku": "SHIRT-L",
            "variants-1-price": "21.90",
            "variants-1-stock": "0",
            "variants-1-is_active": "on",
            "variants-1-position": "2",
        }
    )

    assert answer.status_code == 302, text_of(answer)
    medium, large = shirt.variants.order_by("position")
    assert (medium.name, medium.stock.available, medium.price) == (
        *("Thing SHIRT, M, red", 7),
        Decimal("19.90"),
    )
    assert medium.text("options", "zh-hans") == ["M", "红色"]
    assert large.options == ["L", "red"]
    shirt.refresh_from_db()
    assert shirt.price == Decimal("19.90")


def test_a_change_on_the_page_reaches_the_variant_and_its_stock_stays(admin_client: Client) -> None:
    shirt = add_shirt()
    variant = add_variant(shirt, "M", "red", stock=7)
    page = open_page(admin_client, page_of(shirt))
    StockMovement.objects.all().delete()

    answer = page.send(
        **{"name": "T-shirt", "variants-0-price": "25.00", "variants-0-options": "M | blue"}
    )

    assert answer.status_code == 302, text_of(answer)
    variant.refresh_from_db()
    assert (variant.name, variant.price) == ("T-shirt, M, blue", Decimal("25.00"))
    assert variant.stock.available == 7


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("M", "It needs a value for each of: Size | Colour"),
        ("M | ", "There is nothing between two |."),
        ("L | red", "Another variant has these options."),
        ("M | " + "x" * 61, "Use at most 60 characters."),
    ],
)
def test_options_that_can_t_be_are_refused_beside_their_field(
    typed: str, said: str, admin_client: Client
) -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red")
    add_variant(shirt, "L", "red")

    answer = open_page(admin_client, page_of(shirt)).send(**{"variants-0-options": typed})

    assert answer.status_code == 200
    assert said in text_of(answer)


def test_a_variants_own_page_says_of_what_it_is_and_changes_no_name(admin_client: Client) -> None:
    shirt = add_shirt()
    variant = add_variant(shirt, "M", "red")

    opened = open_page(admin_client, page_of(variant))
    answer = opened.send(options="M | green", description="With a pocket.")

    assert answer.status_code == 302, text_of(answer)
    variant.refresh_from_db()
    assert (variant.name, variant.description) == ("Thing SHIRT, M, green", "With a pocket.")
    page = admin_client.get(page_of(variant)).content.decode()
    assert 'name="name"' not in page
    assert "Thing SHIRT" in page


def test_texts_are_translated_on_the_pages_of_products_pictures_and_categories(
    admin_client: Client,
) -> None:
    mug = add_product("MUG")
    picture(mug, "red")
    category = Category.objects.get()

    open_page(admin_client, page_of(mug)).send(
        **{"name_zh_hans": "杯子", "description_zh_hans": "蓝色", "media-0-alt_zh_hans": "一只杯子"}
    )
    open_page(admin_client, f"/admin/orders/category/{category.pk}/change/").send(
        name_zh_hans="物品"
    )

    mug.refresh_from_db()
    assert mug.texts == {"zh-hans": {"name": "杯子", "description": "蓝色"}}
    assert ProductMedia.objects.get().text("alt", "zh-hans") == "一只杯子"
    category.refresh_from_db()
    assert category.text("name", "zh-hans") == "物品"

    open_page(admin_client, page_of(mug)).send(name_zh_hans="")
    mug.refresh_from_db()
    assert mug.texts == {"zh-hans": {"description": "蓝色"}}


def test_a_new_product_may_have_options_and_translations_at_once(admin_client: Client) -> None:
    add_product("MUG")
    page = open_page(admin_client, "/admin/orders/product/add/")

    answer = page.send(
        name="T-shirt",
        sku="SHIRT",
        slug="t-shirt",
        category=Category.objects.get().pk,
        price="20",
        stock="0",
        options="Size",
        name_zh_hans="T恤",
        options_zh_hans="尺码",
    )

    assert answer.status_code == 302, text_of(answer)
    shirt = Product.objects.get(sku="SHIRT")
    assert shirt.is_parent
    assert shirt.texts == {"zh-hans": {"name": "T恤", "options": ["尺码"]}}


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Manager", True)])
def test_who_may_not_change_products_sees_variants_and_changes_none(role: str, may: bool) -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red")
    operator = User.objects.create_user("ada", "ada@example.org", is_staff=True)
    operator.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(operator)

    page = client.get(page_of(shirt)).content.decode()
    assert "SHIRT-M-RED" in page
    assert ('name="variants-0-price"' in page) is may
    assert ('name="name_zh_hans"' in page) is may


def test_the_list_has_parents_without_a_stock_of_their_own(admin_client: Client) -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red", stock=0)

    sold_out = text_of(admin_client.get("/admin/orders/product/", {"stock": "none"}))
    assert "SHIRT-M-RED" in sold_out
    assert "1 product" in sold_out
    parents = text_of(admin_client.get("/admin/orders/product/", {"variants": "parents"}))
    assert "SHIRT-M-RED" not in parents
    assert "Thing SHIRT" in parents


def test_a_variants_own_page_is_saved(admin_client: Client) -> None:
    """Its name has a translation, which the page has no input for."""
    red = add_variant(add_shirt(texts={"zh-hans": {"name": "T 恤"}}), "M", "red")
    named = red.text("name", "zh-hans")

    answer = open_page(admin_client, page_of(red)).send(weight="150")

    assert answer.status_code == 302, text_of(answer)
    red.refresh_from_db()
    assert (red.weight, red.text("name", "zh-hans")) == (150, named)
    assert "T 恤" in named


def test_who_counts_stock_counts_variants(admin_client: Client) -> None:
    add_variant(add_shirt(), "M", "red")

    listed = admin_client.get("/admin/orders/product/count-list/").content.decode()

    assert [line.split(",")[0] for line in listed.splitlines()[1:]] == ["SHIRT-M-RED"]


def test_an_order_at_the_desk_is_offered_the_variants() -> None:
    shirt = add_shirt()
    add_variant(shirt, "M", "red")
    add_variant(shirt, "L", "red")

    assert [each.sku for each in find_products("shirt")] == ["SHIRT-M-RED", "SHIRT-L-RED"]


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_the_desk_shows_its_own_name_beside_that_of_the_order(admin_client: Client) -> None:
    add_product("MUG", texts={"zh-hans": {"name": "杯子"}})
    order = placed(("MUG", 1), language="zh-hans")

    page = text_of(admin_client.get(f"/admin/orders/order/{order.pk}/change/"))

    assert "Thing MUG" in page
    assert "杯子" in page

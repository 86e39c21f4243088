"""Tables with variants and translations: imported, exported, and the same again."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import override

from orders.imports.package import folder_package
from orders.imports.report import Outcome, Report
from orders.imports.run import import_products
from orders.models import Category, Product, ProductMedia
from tests.factories import add_product, add_shirt, add_variant
from tests.orders.desk.exported import exported
from tests.orders.imports.packages import detail, folder_of, mug, outcomes, png, table
from tests.orders.variants.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

SHIRT = {
    "sku": "SHIRT",
    "name": "T-shirt",
    "category": "Clothes",
    "options": "Size | Colour",
    "name zh-hans": "T恤",
    "category zh-hans": "衣服",
    "options zh-hans": "尺码 | 颜色",
    "description": "Of linen.",
    "description zh-hans": "亚麻。",
}


def variant(sku: str, options: str, **cells: str) -> dict[str, str]:
    return {"sku": sku, "variant of": "SHIRT", "options": options, "price": "20.00", **cells}


def imported(tmp_path: Path, *rows: dict[str, str], dry_run: bool = False) -> Report:
    files = {"products.csv": table(*rows), "red.png": png("red")}
    return import_products(folder_package(folder_of(tmp_path, files)), dry_run=dry_run)


def test_a_table_has_parents_and_variants_in_any_order_and_a_dry_run_says_the_same(
    tmp_path: Path,
) -> None:
    rows = (
        variant(
            "SHIRT-M",
            "M | red",
            stock="7",
            position="2",
            pictures="red.png",
            alt="A red shirt",
            **{"alt zh-hans": "红色T恤", "options zh-hans": "M | 红色"},
        ),
        variant("SHIRT-S", "S | red", price="18.00", position="1"),
        SHIRT,
    )
    planned = imported(tmp_path, *rows, dry_run=True)
    assert not Product.objects.exists()

    report = imported(tmp_path, *rows)

    assert outcomes(report) == outcomes(planned)
    assert set(outcomes(report).values()) == {Outcome.CREATED}
    shirt = Product.objects.get(sku="SHIRT")
    assert (shirt.options, shirt.price) == (["Size", "Colour"], Decimal("18.00"))
    small, medium = shirt.variants.order_by("position")
    assert (small.name, medium.stock.available) == ("T-shirt, S, red", 7)
    with override("zh-hans"):
        assert medium.shown_name == "T恤，M，红色"
        assert Category.objects.get().text("name") == "衣服"
        assert shirt.text("description") == "亚麻。"
        assert ProductMedia.objects.get().text("alt") == "红色T恤"
    assert ProductMedia.objects.get().alt == "A red shirt"


def test_again_changes_nothing(tmp_path: Path) -> None:
    rows = (SHIRT, variant("SHIRT-M", "M | red", pictures="red.png", **{"alt zh-hans": "红"}))
    imported(tmp_path, *rows)

    assert set(outcomes(imported(tmp_path, *rows)).values()) == {Outcome.UNCHANGED}


def test_what_a_row_changes_is_noted(tmp_path: Path) -> None:
    imported(tmp_path, SHIRT, variant("SHIRT-M", "M | red"))

    report = imported(
        tmp_path,
        SHIRT | {"name": "Shirt", "name zh-hans": "衬衫"},
        variant("SHIRT-M", "M | blue", name="Other"),
    )

    assert "name: “T-shirt” → “Shirt”" in detail(report, "SHIRT")
    assert "name zh-hans: “T恤” → “衬衫”" in detail(report, "SHIRT")
    assert "options: “M | red” → “M | blue”" in detail(report, "SHIRT-M")
    assert "name stays" in detail(report, "SHIRT-M")
    assert Product.objects.get(sku="SHIRT-M").name == "Shirt, M, blue"


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_can_t_be_a_variant_is_refused_with_its_reason(tmp_path: Path, dry_run: bool) -> None:
    add_product("MUG")

    report = imported(
        tmp_path,
        SHIRT,
        variant("A", "M | red"),
        variant("B", "M | red"),
        variant("C", "M"),
        variant("D", "M | red") | {"variant of": "NONE"},
        variant("E", "M | red") | {"variant of": "MUG"},
        variant("MUG", "L | red"),
        mug("F", options="Size | | Colour"),
        dry_run=dry_run,
    )

    assert outcomes(report)["A"] == Outcome.CREATED
    reasons = {sku: detail(report, sku) for sku in "BCDEF"} | {"MUG": detail(report, "MUG")}
    assert "Another variant has these options" in reasons["B"]
    assert "a value for each of: Size | Colour" in reasons["C"]
    assert "there is no product “NONE”" in reasons["D"]
    assert "“MUG” has no options" in reasons["E"]
    assert "an import makes no variant of a known product" in reasons["MUG"]
    assert "nothing between two |" in reasons["F"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_exported_table_comes_back_equal_and_makes_the_same_shop_elsewhere(
    tmp_path: Path, admin_client: Client, language: str
) -> None:
    shirt = add_shirt(
        texts={"zh-hans": {"name": "T恤", "description": "亚麻", "options": ["尺码", "颜色"]}}
    )
    Category.objects.update(texts={"zh-hans": {"name": "物品"}})
    add_variant(shirt, "M", "red", texts={"zh-hans": {"options": ["M", "红色"]}}, position=2)
    add_variant(shirt, "S", "red", price="18.00", position=1)
    mug_ = add_product("MUG", description="A mug.")
    picture(mug_, "a" * 64)
    picture(mug_, "b" * 64)
    ProductMedia.objects.filter(asset__sha256="a" * 64).update(
        alt="A mug", texts={"zh-hans": {"alt": "杯子"}}
    )
    shown = list(ProductMedia.objects.values("asset", "alt", "texts"))
    columns = ("sku", "name", "price", "options", "texts", "position", "variant_of__sku")
    before = list(Product.objects.order_by("sku").values(*columns, "category__texts"))

    admin_client.cookies["django_language"] = language
    rows = exported(admin_client, "orders/product/export-products.csv")
    cells = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert set(outcomes(imported(tmp_path, *cells)).values()) == {Outcome.UNCHANGED}

    Product.objects.filter(variant_of__isnull=False).delete()
    Product.objects.all().delete()
    Category.objects.all().delete()
    assert set(outcomes(imported(tmp_path, *cells)).values()) == {Outcome.CREATED}
    assert list(Product.objects.order_by("sku").values(*columns, "category__texts")) == before
    assert list(ProductMedia.objects.values("asset", "alt", "texts")) == shown


def test_a_picture_that_is_named_by_its_content_and_is_not_in_the_shop_is_told(
    tmp_path: Path,
) -> None:
    report = imported(tmp_path, mug(pictures="sha256:" + "c" * 64, alt="A mug"))

    assert outcomes(report) == {"MUG": Outcome.CREATED}
    assert "1 picture isn't in this shop: bring its file" in detail(report, "MUG")
    assert not ProductMedia.objects.exists()

"""Tax classes and rates at the desk, and the class of a product in its form, import and export."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orders.desk.product_sheets import PRODUCTS
from orders.imports.package import folder_package
from orders.imports.report import Outcome
from orders.imports.run import import_products
from orders.imports.table import COLUMNS
from orders.models import Product, TaxClass, TaxRate
from tests.factories import add_product
from tests.order_states import placed
from tests.orders.imports.packages import detail, folder_of, mug, outcomes, table
from tests.orders.shop.pages import text_of
from tests.orders.taxes.rates import two_rates

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


def test_a_rate_is_entered_with_its_country_by_name(admin_client: Client) -> None:
    form = admin_client.get("/admin/orders/taxrate/add/")
    assert '<option value="AT">Austria</option>' in form.content.decode()

    answer = admin_client.post(
        "/admin/orders/taxrate/add/", {"country": "AT", "tax_class": "", "rate": "20"}
    )

    assert answer.status_code == 302
    assert list(TaxRate.objects.values_list("country", "rate")) == [("AT", Decimal(20))]
    listed = text_of(admin_client.get("/admin/orders/taxrate/"))
    assert "Austria" in listed
    assert "All other products" in listed
    assert "20 %" in listed


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"country": "AT", "rate": "20"}, "There is a rate of this class in this country already."),
        ({"country": "DE", "rate": "100"}, "no more than 2 digits before the decimal point"),
        ({"country": "DE", "rate": "-1"}, "greater than or equal to 0"),
        ({"country": "XX", "rate": "1"}, "Select a valid choice"),
    ],
)
def test_a_rate_that_can_t_be_is_refused_in_words(
    admin_client: Client, fields: dict[str, str], said: str
) -> None:
    TaxRate.objects.create(country="AT", rate=20)

    answer = admin_client.post("/admin/orders/taxrate/add/", {"tax_class": "", **fields})

    assert said in text_of(answer)
    assert TaxRate.objects.count() == 1


def test_a_class_leads_to_its_products(admin_client: Client, settings: Any) -> None:
    food = two_rates(settings)

    listed = admin_client.get("/admin/orders/taxclass/").content.decode()

    address = f"/admin/orders/product/?tax_class__id__exact={food.pk}"
    assert f'href="{address}">1</a>' in listed
    assert admin_client.get(address).status_code == 200


def test_an_order_s_page_shows_what_tax_it_includes(admin_client: Client, settings: Any) -> None:
    two_rates(settings)
    order = placed(("TEA", 2))

    page = text_of(admin_client.get(f"/admin/orders/order/{order.pk}/change/"))

    assert "Includes 7 % tax on €9.35" in page


def test_a_product_s_form_has_its_class(admin_client: Client, settings: Any) -> None:
    food = two_rates(settings)
    tea = Product.objects.get(sku="TEA")

    page = admin_client.get(f"/admin/orders/product/{tea.pk}/change/").content.decode()

    assert f'<option value="{food.pk}" selected>Food</option>' in page


def test_an_import_gives_products_their_class(tmp_path: Path) -> None:
    food = TaxClass.objects.create(name="Food")
    add_product("TEA", tax_class=food)
    add_product("CUP")
    rows = [
        {"sku": "TEA", "tax class": "Food"},
        {"sku": "CUP", "tax class": "food"},
        mug("NEW", **{"tax class": "Food"}),
        mug("BOOK", **{"tax class": "Books"}),
    ]

    report = import_products(
        folder_package(folder_of(tmp_path, {"products.csv": table(*rows)})), dry_run=False
    )

    classes = dict(Product.objects.values_list("sku", "tax_class__name"))
    assert classes == {"TEA": "Food", "CUP": "Food", "NEW": "Food"}
    assert detail(report, "CUP") == "tax class: “” → “Food”"
    assert "tax class: there is none named “Books”; create it first" in detail(report, "BOOK")
    assert [outcomes(report)[sku] for sku in ("TEA", "CUP", "NEW", "BOOK")] == [
        Outcome.UNCHANGED,
        Outcome.CHANGED,
        Outcome.CREATED,
        Outcome.REFUSED,
    ]


def test_an_export_has_the_class_by_the_name_that_an_import_reads(settings: Any) -> None:
    two_rates(settings)
    [product] = PRODUCTS.read(Product.objects.filter(sku="TEA"))
    values = {str(column.label): column.value(product) for column in PRODUCTS.columns}

    assert values["tax class"] == "Food"
    assert "tax class" in COLUMNS

"""Which rate a product's price includes: by its class and the country, and what stands in."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import ProtectedError

from orders.models import TaxClass, TaxRate
from orders.taxes.rates import country_of, rates_of
from tests.factories import add_product
from tests.orders.taxes.rates import two_rates

pytestmark = pytest.mark.django_db


def rates(country: str) -> list[str | None]:
    found = rates_of(["MUG", "TEA"], country=country)
    return [None if found[sku] is None else f"{found[sku].normalize():f}" for sku in ("MUG", "TEA")]


def test_a_class_has_its_rate_and_all_else_the_usual_one(settings: Any) -> None:
    two_rates(settings)

    assert rates("DE") == ["19", "7"]


def test_a_country_with_its_own_usual_rate_has_it_for_every_class_without_one(
    settings: Any,
) -> None:
    food = two_rates(settings)
    assert rates("AT") == ["20", "20"]

    TaxRate.objects.create(tax_class=food, country="AT", rate=10)

    assert rates("AT") == ["20", "10"]


def test_a_country_without_rates_has_those_of_the_shop_s(settings: Any) -> None:
    two_rates(settings)
    assert rates("FR") == ["19", "7"]

    TaxRate.objects.create(country="DE", rate="16.5")

    assert rates("FR") == ["16.5", "7"]


def test_a_rate_of_nothing_is_a_rate(settings: Any) -> None:
    two_rates(settings)
    TaxRate.objects.create(country="CH", rate=0)

    assert rates("CH") == ["0", "0"]


def test_without_any_rate_none_is_known(settings: Any) -> None:
    settings.TAX_RATE = None
    add_product("MUG")
    add_product("TEA")

    assert rates("DE") == [None, None]


def test_a_pickup_is_taxed_where_the_shop_is(settings: Any) -> None:
    settings.SHOP_COUNTRY = "CN"

    assert country_of({}) == "CN"
    assert country_of({"country": "AT"}) == "AT"


def test_a_class_has_one_rate_in_a_country(settings: Any) -> None:
    food = two_rates(settings)

    for tax_class, country in ((food, "DE"), (None, "AT")):
        with pytest.raises(IntegrityError, match="one_tax_rate"), transaction.atomic():
            TaxRate.objects.create(tax_class=tax_class, country=country, rate=1)


@pytest.mark.parametrize("rate", [Decimal("-0.001"), Decimal(100)])
def test_the_database_refuses_what_is_no_percentage(rate: Decimal) -> None:
    with pytest.raises(DatabaseError, match=r"tax_rate_is_a_percentage|numeric field overflow"):
        TaxRate.objects.create(country="DE", rate=rate)


def test_a_class_with_products_is_not_deleted(settings: Any) -> None:
    two_rates(settings)

    with pytest.raises(ProtectedError):
        TaxClass.objects.all().delete()

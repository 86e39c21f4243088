"""A shop with two rates at home and one in Austria."""

from decimal import Decimal
from typing import Any

from orders.models import TaxClass, TaxRate
from tests.factories import add_product

HOME = {"line1": "Am Kai 1", "city": "Kiel", "postcode": "24103", "country": "DE"}
AUSTRIA = {"line1": "Ring 1", "city": "Wien", "postcode": "1010", "country": "AT"}


def two_rates(settings: Any) -> TaxClass:
    """Sell MUG at 19 % and TEA at 7 %, in Austria both at 20 %; return the class of TEA."""
    settings.SHOP_COUNTRY, settings.TAX_RATE = "DE", Decimal(19)
    food = TaxClass.objects.create(name="Food")
    TaxRate.objects.create(tax_class=food, country="DE", rate=7)
    TaxRate.objects.create(country="AT", rate=20)
    add_product("MUG", price="9.90")
    add_product("TEA", price="5.00", tax_class=food)
    return food

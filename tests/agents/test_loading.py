"""`manage.py ucp_load`: a folder of CSV files, as the official suite has them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.models import AgentInstrument, DeliveryRate, Product, Stock, StockMovement, Voucher
from orders.quotes.basket import quotes_for

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = Path(__file__).parent / "shop"


@pytest.fixture
def loaded(settings: Any) -> None:
    settings.TANDEM_LOCAL, settings.DELIVERY_TABLE = True, True
    call_command("ucp_load", str(SHOP))


def test_products_discounts_rates_and_instruments_are_there(loaded: None) -> None:
    lamp = Product.objects.get(sku="UCP-LAMP")
    assert (lamp.price, lamp.stock.available) == (Decimal("35.00"), 5000)
    assert Voucher.objects.get(code="FIXED500").value == Decimal("5.00")
    assert Voucher.objects.get(code="POTS20").category is not None
    assert DeliveryRate.objects.count() == 3
    assert AgentInstrument.objects.get(token="fail_token").declines


def test_a_repeat_changes_nothing_and_a_correction_is_in_the_ledger(loaded: None) -> None:
    Stock.objects.filter(product__sku="UCP-LAMP").update(available=4990)
    call_command("ucp_load", str(SHOP))

    assert Product.objects.count() == 16
    assert StockMovement.objects.get().quantity == 10


def test_a_countrys_own_rate_goes_before_that_of_anywhere(loaded: None) -> None:
    prices = {
        country: {
            quote.service: quote.price
            for quote in quotes_for(
                address={"country": country, "postcode": "10115", "city": "X"},
                quantities={"UCP-LAMP": 1},
            ).quotes
            if quote.carrier == "rates"
        }
        for country in ("US", "DE")
    }

    assert prices["US"] == {"std-ship": Decimal("5.00"), "exp-ship-us": Decimal("15.00")}
    assert prices["DE"] == {"std-ship": Decimal("5.00"), "exp-ship-intl": Decimal("25.00")}


def test_a_folder_without_products_and_a_line_that_is_wrong_are_told(
    tmp_path: Path, settings: Any
) -> None:
    with pytest.raises(CommandError, match="has no products"):
        call_command("ucp_load", str(tmp_path))
    (tmp_path / "products.csv").write_text("id,title,price\nMUG,Mug,cheap\n")
    with pytest.raises(CommandError, match="line 2"):
        call_command("ucp_load", str(tmp_path))


def test_production_has_no_simulated_instruments(settings: Any) -> None:
    settings.TANDEM_LOCAL = False
    call_command("ucp_load", str(SHOP))

    assert not AgentInstrument.objects.exists()

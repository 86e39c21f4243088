"""`manage.py ucp_load`: a folder of CSV files, as the official suite has them."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.agents import loading
from orders.models import AgentInstrument, DeliveryRate, Product, Stock, StockMovement, Voucher
from orders.quotes.basket import quotes_for
from tests.factories import add_product

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = Path(__file__).parent / "shop"
RATES = b"id,country_code,service_level,price,title\n"


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


def test_stock_that_the_inventory_does_not_name_stays(tmp_path: Path) -> None:
    add_product("MUG", stock=7)
    add_product("TEA", stock=8)
    write(tmp_path, "products.csv", "id,title,price", "MUG,Mug,100", "TEA,Tea,100", "CUP,Cup,100")
    call_command("ucp_load", str(tmp_path))
    write(tmp_path, "inventory.csv", "product_id,quantity", "TEA,3")
    call_command("ucp_load", str(tmp_path))

    stock = dict(Stock.objects.values_list("product__sku", "available"))
    assert stock == {"MUG": 7, "TEA": 3, "CUP": 0}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("products.csv", b"", "products.csv is empty. Its first line is: id,title,price"),
        ("products.csv", b"id,title,price\n", "products.csv has no products. Write a line"),
        ("products.csv", b"id,title\nA,B\n", "line 1, price: the column is missing. Add it"),
        ("products.csv", b"id,title,price,x\n", "line 1, x: there is no such column. Remove it"),
        ("products.csv", b"id,title,id,price\n", "line 1, id: the column is there twice"),
        ("products.csv", b"id,title,price\nA,B,1,2\n", "line 2, cell 4: the header has no such"),
        ("products.csv", b"id,title,price\nA,,1\n", "line 2, title: This field is required"),
        ("products.csv", b"id,title,price\n,B,1\n", "line 2, id: This field is required"),
        ("products.csv", b"id,title,price\nA,B,-5\n", "line 2, price: Write a whole number"),
        ("products.csv", b"id,title,price\nA,B,99999999999999999999\n", "to 9999999900, instead"),
        ("products.csv", b"id,title,price\nA,\xff,1\n", "line 2: it isn't UTF-8. Save the file"),
        ("products.csv", b"id,title,price\nA,B\0,1\n", "line 2, title: Remove the characters"),
        ("products.csv", b'id,title,price\nA,"B,1\n', "line 2: its quotation marks can't be read"),
        ("products.csv", b"id,title,price\nA,B,1\n\nA,C,2\n", "line 4, id: “A” is in line 2 alr"),
        ("inventory.csv", b"product_id,quantity\nNEW,-5\n", "line 2, quantity: Write a whole"),
        ("inventory.csv", b"product_id,quantity\nODD,5\n", "products.csv has no “ODD”. Add it"),
        ("inventory.csv", b"product_id,quantity\nNEW,5\nNEW,6\n", "“NEW” is in line 2 already"),
        ("discounts.csv", b"code,type,value\nX1,percentage,150\n", "line 2, value: Write a perc"),
        ("discounts.csv", b"code,type,value\nX1,percentage,NaN\n", "line 2, value: Write a perc"),
        ("discounts.csv", b"code,type,value\nX1,percentage,5\n", "line 2, code: Write 3 to 40"),
        ("discounts.csv", b"code,type,value\nX11,gift,5\n", "line 2, type: Write percentage or"),
        ("discounts.csv", b"code,type,value\nX11,fixed_amount,0\n", "value: Write a whole number"),
        ("shipping_rates.csv", RATES + b"a,DE,b,-500,T\n", "line 2, price: Write a whole number"),
        ("shipping_rates.csv", RATES + b"a,XX,b,500,T\n", "line 2, country_code: Write a country"),
        ("shipping_rates.csv", RATES + b"a,DE,b,5,T\nc,DE,b,5,T\n", "country_code and service_l"),
        ("shipping_rates.csv", RATES + b"a b,DE,b,500,T\n", "line 2, id: Write 1 to 40 letters"),
        ("payment_instruments.csv", b"type,brand,last_digits,token\ncard,V,1,\n", "token: This"),
    ],
)
def test_a_fault_is_told_with_its_place_and_nothing_is_written(
    tmp_path: Path, settings: Any, file: str, content: bytes, told: str
) -> None:
    settings.TANDEM_LOCAL = True
    write(tmp_path, "products.csv", "id,title,price", "NEW,New,100")
    (tmp_path / file).write_bytes(content)

    with pytest.raises(CommandError, match=re.escape(told)) as refused:
        call_command("ucp_load", str(tmp_path))

    assert file in str(refused.value)
    assert not Product.objects.exists()
    assert not Voucher.objects.exists()


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "products.csv", "id,title,price", "A,,1", "B,Bowl,x")
    write(tmp_path, "shipping_rates.csv", RATES.decode().strip(), "a,DE,b,x,T")

    with pytest.raises(CommandError) as refused:
        call_command("ucp_load", str(tmp_path))

    assert str(refused.value).splitlines() == [
        "Nothing was loaded.",
        "products.csv, line 2, title: This field is required.",
        "products.csv, line 3, price: Write a whole number of minor units from 0 to 9999999900,"
        " instead of “x”.",
        "shipping_rates.csv, line 2, price: Write a whole number of minor units from 0 to"
        " 9999999900, instead of “x”.",
    ]


def test_what_fails_while_it_is_written_leaves_nothing_and_a_repeat_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "products.csv", "id,title,price", "A,Apple,1", "B,Bowl,2")
    write(tmp_path, "discounts.csv", "code,type,value", "X11,percentage,5")
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_voucher", lambda row: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            call_command("ucp_load", str(tmp_path))
    left = Product.objects.count()
    call_command("ucp_load", str(tmp_path))

    assert (left, Product.objects.count(), Voucher.objects.count()) == (0, 2, 1)


def test_a_parent_has_no_stock_of_its_own(tmp_path: Path) -> None:
    add_product("SHIRT", options=["size"])
    write(tmp_path, "products.csv", "id,title,price", "SHIRT,Shirt,100")
    write(tmp_path, "inventory.csv", "product_id,quantity", "SHIRT,5")

    with pytest.raises(CommandError, match="SHIRT is sold as variants"):
        call_command("ucp_load", str(tmp_path))


def write(folder: Path, file: str, *lines: str) -> None:
    (folder / file).write_text("\n".join(lines) + "\n")

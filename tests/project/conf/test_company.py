"""What invoices need is checked at the start, in a line that names the variable."""

from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf.company import address_lines, iban, invoice_occasion, percent
from tests.project.conf.production import PRODUCTION, manage


@pytest.mark.parametrize(
    ("value", "rate"), [("19", "19"), ("7.7", "7.7"), ("0", "0"), ("8.375", "8.375")]
)
def test_a_rate_is_a_percentage(value: str, rate: str) -> None:
    assert percent("TAX_RATE", value) == Decimal(rate)


def test_no_rate_is_not_the_rate_of_nothing() -> None:
    assert percent("TAX_RATE", "") is None


@pytest.mark.parametrize("value", ["19%", "100", "-1", "1,5", "nan", "1e1", "١٩", "0.0001", "19."])
def test_what_is_no_percentage_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"TAX_RATE is .*: give a percentage"):
        percent("TAX_RATE", value)


def test_an_iban_is_printed_in_groups_of_four() -> None:
    assert iban("COMPANY_IBAN", "de89370400440532013000") == "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize("value", ["DE88370400440532013000", "DE89", "DE89-3704-0044", "IBAN"])
def test_a_mistyped_iban_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"COMPANY_IBAN is .*check digits"):
        iban("COMPANY_IBAN", value)


def test_an_address_has_lines() -> None:
    lines = address_lines("COMPANY_ADDRESS", "Teestr. 1 | 20095 Hamburg|")

    assert lines == ["Teestr. 1", "20095 Hamburg"]


@pytest.mark.parametrize("value", ["|".join("1234567"), "a\tb", "x" * 101])
def test_an_address_that_an_invoice_has_no_room_for_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="COMPANY_ADDRESS: give"):
        address_lines("COMPANY_ADDRESS", value)


def test_an_unknown_occasion_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="INVOICE_ON is 'never': write paid, shipped"):
        invoice_occasion("INVOICE_ON", "never", missing=[])


def test_invoices_that_couldn_t_be_issued_end_the_start() -> None:
    checked = manage("check", **{**PRODUCTION, "INVOICE_ON": "paid", "COMPANY_NAME": "Tea GmbH"})

    assert checked.returncode == 1
    assert checked.stderr == (
        "INVOICE_ON is paid, but an invoice needs COMPANY_ADDRESS, COMPANY_TAX_ID, TAX_RATE as"
        " well: set them, or INVOICE_ON=by_hand.\n"
    )

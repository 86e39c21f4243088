"""The one list of countries, in the shop, the address book, the API and the settings."""

import phonenumbers
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import translation

from orders.accounts.forms import AddressForm
from orders.api.schemas.placing import AddressIn
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_country, clean_phone
from orders.shop.forms import CheckoutForm
from project.address_rules import address_rules
from project.conf import environment
from project.countries import COUNTRIES, phone_region

ADDRESS = {"line1": "1 Long Street", "city": "Town"}


def test_each_country_with_telephones_is_in_the_list() -> None:
    assert frozenset(phonenumbers.SUPPORTED_REGIONS) <= COUNTRIES.keys()
    assert len(COUNTRIES) > 240


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_country_has_a_name_of_its_own(language: str) -> None:
    with translation.override(language):
        names = {str(name) for name in COUNTRIES.values()}

    assert len(names) == len(COUNTRIES)
    assert all(name.isascii() for name in names) is False
    assert ("科索沃" in names) == (language == "zh-hans")


@pytest.mark.parametrize("form", [AddressForm, CheckoutForm])
def test_both_forms_offer_the_list(form: type[AddressForm | CheckoutForm]) -> None:
    offered = [code for code, _name in form().fields["country"].choices]

    assert sorted(offered) == sorted(COUNTRIES)


def test_names_are_sorted_as_people_look_for_them() -> None:
    with translation.override("en"):
        english = [code for code, _name in AddressForm().fields["country"].choices]
    with translation.override("zh-hans"):
        chinese = [code for code, _name in AddressForm().fields["country"].choices]

    assert english.index("AF") < english.index("AX") < english.index("BS")
    assert chinese.index("AU") < chinese.index("DE") < chinese.index("CN")


@pytest.mark.parametrize("code", sorted(COUNTRIES))
def test_every_entrance_takes_every_country(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_COUNTRY", code)
    rules = address_rules(code)
    postcode = next(iter(rules.postcode_examples), "")
    region = rules.regions[0].written(native=False) if rules.regions else "Region"
    values = ADDRESS | {"country": code, "postcode": postcode, "region": region}

    assert clean_country(code) == code
    assert environment.country("SHOP_COUNTRY", "DE") == code
    assert AddressForm(values).errors == {}
    assert AddressIn(**values).postcode == postcode


@pytest.mark.parametrize("code", ["XX", "ZZ", "EU", "de", "UK", "HM", "D", "D\u200bE"])
def test_what_is_no_country_is_refused_by_each_entrance(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_COUNTRY", code)

    with pytest.raises(InvalidOrder):
        clean_country(code)
    with pytest.raises(ImproperlyConfigured):
        environment.country("SHOP_COUNTRY", "DE")
    assert "country" in AddressForm(ADDRESS | {"country": code, "postcode": "1"}).errors


@pytest.mark.parametrize("code", ["MO", "QA"])
def test_an_address_needs_no_postcode_where_there_is_none(code: str) -> None:
    assert AddressForm(ADDRESS | {"country": code}).is_valid()
    assert AddressForm(ADDRESS | {"country": code, "postcode": "999077"}).is_valid()


@pytest.mark.parametrize("code", ["DE", "CN", "KR", "TR", "UA", "GB"])
def test_an_address_needs_its_postcode_elsewhere(code: str) -> None:
    form = AddressForm(ADDRESS | {"country": code})

    assert form.errors.keys() - {"region"} == {"postcode"}


def test_a_shop_without_telephone_numbers_of_its_own_reads_international_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "SHOP_COUNTRY", "PN")

    assert phone_region("PN") is None
    assert clean_phone("+49 30 123456") == "+4930123456"
    with pytest.raises(InvalidOrder):
        clean_phone("030 123456")

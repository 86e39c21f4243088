"""What a request may say, and how it is cleaned."""

from typing import Any

import pytest

from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_email, clean_phone, clean_text
from tests.factories import order_request


def test_a_name_is_one_line_without_surrounding_space() -> None:
    assert clean_text("  Ada\nLovelace\t ", field="name", max_length=200) == "Ada Lovelace"


@pytest.mark.parametrize(
    "name", ["王小明", "שָׁלוֹם כהן", "محمد عبد الله", "O’Brien-Müller, Jr.", "👩🏽‍🚀", "{{ 7 }}"]
)
def test_a_name_in_any_script_stays_as_it_is(name: str) -> None:
    assert clean_text(name, field="name", max_length=200) == name


@pytest.mark.parametrize(
    "value",
    ["", "   ", "x" * 201, "a\x00b", "a\x1bb", "a\ud800b", "\u200b\ufeff", "a\u202eb"],
)
def test_a_bad_name_is_refused_by_its_field(value: str) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        clean_text(value, field="name", max_length=200)

    assert [error.field for error in refusal.value.errors] == ["name"]


@pytest.mark.parametrize(
    "value", ["", "ada", "ada@", "ada@example", "a b@example.org", "zoë@example.org"]
)
def test_a_bad_address_is_refused(value: str) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        clean_email(value)

    assert [error.field for error in refusal.value.errors] == ["email"]


def test_an_address_gets_the_one_form() -> None:
    assert clean_email(" Ada@MÜNCHEN\u200b.example ") == "Ada@xn--mnchen-3ya.example"


def test_an_address_that_is_too_long_for_the_column_is_refused() -> None:
    domain = ".".join(["ü" * 50] * 4)

    with pytest.raises(InvalidOrder):
        clean_email(f"{'x' * 30}@{domain}.example")


@pytest.mark.parametrize(
    ("country", "value", "number"),
    [
        ("DE", "", ""),
        ("DE", "030 123456", "+4930123456"),
        ("DE", "+86 138 0013 8000", "+8613800138000"),
        ("DE", "0086 138 0013 8000", "+8613800138000"),
        ("CN", "138 0013 8000", "+8613800138000"),
        ("CN", "010-6552 9988", "+861065529988"),
        ("CN", "+49 30 123456", "+4930123456"),
        ("CN", "１３８００１３８０００", "+8613800138000"),
    ],
)
def test_a_phone_is_read_as_of_the_shops_country(
    country: str, value: str, number: str, settings: Any
) -> None:
    settings.SHOP_COUNTRY = country

    assert clean_phone(value) == number


@pytest.mark.parametrize("value", ["12", "call me", "+999123456789", "138 0013 8000", "+86 1"])
def test_a_bad_phone_is_refused(value: str) -> None:
    with pytest.raises(InvalidOrder) as refusal:
        clean_phone(value)

    assert [error.field for error in refusal.value.errors] == ["phone"]


def test_the_fingerprint_sees_the_parsed_order_and_neither_key_nor_expected_total() -> None:
    one = order_request(("A", 1), ("B", 2), ("A", 2))

    same = order_request(("B", 2), ("A", 3), expected_total=None)
    other = order_request(("B", 2), ("A", 4))

    assert one.fingerprint() == same.fingerprint() != other.fingerprint()

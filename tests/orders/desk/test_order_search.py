"""Finding an order at the desk by what a customer says: in any writing, and by an index."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from project.desk.search_terms import phone_endings
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


def found(client: Client, text: str) -> list[str]:
    return [order.name for order in client.get(LIST, {"q": text}).context["cl"].result_list]


def add_orders(**names: dict[str, Any]) -> None:
    product = add_product("MUG")
    for name, fields in names.items():
        Order.objects.filter(pk=placed(product, name=name).pk).update(**fields)


@pytest.mark.parametrize(
    "typed",
    [
        "+49 151 23456789",
        "+49 (0)151 234567-89",
        "0049 151 23456789",
        "0151/23456789",
        "015123456789",
        "151 23456789",
        "23456789",
        "+49\u00a0151\u00a023456789",
        "＋４９１５１２３４５６７８９",
        "0151–234 567 89",
    ],
)
def test_a_phone_number_is_found_as_people_write_it(typed: str, admin_client: Client) -> None:
    add_orders(Ada={"phone": "+4915123456789"}, Bob={"phone": "+4915123456780"}, Eve={"phone": ""})

    assert found(admin_client, typed) == ["Ada"]


@pytest.mark.parametrize("typed", ["06 12 34 56 78", "0033612345678", "612345678"])
def test_a_national_number_of_another_country_is_found(typed: str, admin_client: Client) -> None:
    add_orders(Zoe={"phone": "+33612345678"}, Bob={"phone": "+4915123456780"})

    assert found(admin_client, typed) == ["Zoe"]


@pytest.mark.parametrize("typed", ["000012", "00 00 12", "05000012"])
def test_the_last_digits_of_a_number_may_begin_with_noughts(
    typed: str, admin_client: Client
) -> None:
    add_orders(Ada={"phone": "+4915105000012"}, Bob={"phone": "+4915105000112"})

    assert found(admin_client, typed) == ["Ada"]


@pytest.mark.parametrize("typed", ["12345", "Bob 7", "ada@example.org", "", "T1023", "+"])
def test_what_is_no_phone_number_is_not_looked_for_as_one(typed: str) -> None:
    assert phone_endings(typed) == set()


@pytest.mark.parametrize(
    "typed",
    ["müller", "MULLER", "Mull", "lüdenscheidt jose", "José Müller", "muller-lud", "Müller"],
)
def test_a_name_is_found_without_accents_and_case(typed: str, admin_client: Client) -> None:
    names = ("José Müller-Lüdenscheidt", "Bob Miller")
    product = add_product("MUG")
    for name in names:
        placed(product, name=name)

    assert found(admin_client, typed) == ["José Müller-Lüdenscheidt"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Łukasz Strauß", "lukasz strauss"),
        ("Søren Ægir", "soren aegir"),
        ("Conan O’Brien", "o'brien"),
        ("王小明", "王"),
        ("王小明", "小明"),
        ("王小明", "王小"),
        ("Андрей Иванов", "ИВАН"),
        ("ΑΛΈΞΑΝΔΡΟΣ", "αλεξ"),
    ],
)
def test_names_of_many_scripts_are_found(name: str, typed: str, admin_client: Client) -> None:
    product = add_product("MUG")
    placed(product, name="Bob Miller")
    placed(product, name=name)

    assert found(admin_client, typed) == [name]


def test_a_corrected_name_is_found_and_the_old_one_is_not(admin_client: Client) -> None:
    add_orders(Lovelance={"name": "Lovelace"})

    assert found(admin_client, "lovelace") == ["Lovelace"]
    assert found(admin_client, "lovelance") == []


@pytest.mark.parametrize(
    "typed", ["zoe@münchen.example", "ZOE@xn--mnchen-3ya.example", "zoe@", "zoe"]
)
def test_an_address_is_found_in_any_spelling_and_by_its_beginning(
    typed: str, admin_client: Client
) -> None:
    add_orders(Customer={"email": "Zoe@xn--mnchen-3ya.example"}, Bob={"email": "bob@example.org"})

    assert found(admin_client, typed) == ["Customer"]


@pytest.mark.parametrize("typed", ["%", "_", "d%", "\\", "'", "!!!", ":*", "&", "x" * 5000, "🙂"])
def test_signs_are_taken_as_they_are(typed: str, admin_client: Client) -> None:
    add_orders(Ada={"email": "ada@example.org"})

    assert found(admin_client, typed) == []

"""Customers for an API client: accounts of shoppers, nobody else."""

import pytest

from orders.models import Address, User
from tests.clients import Caller, key_of
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(db: None) -> Caller:
    return Caller(key_of())


def test_accounts_come_with_addresses_and_numbers_of_orders(caller: Caller) -> None:
    ada = User.objects.create_user("ada", "ada@example.org", name="Ada")
    Address.objects.create(user=ada, line1="1 Mill Rd", city="Ely", country="GB", is_default=True)
    make_order(add_product("MUG"), user=ada)

    [item] = caller.get("customers").json()["items"]

    assert (item["id"], item["name"], item["email"], item["orders"]) == (
        ada.pk,
        "Ada",
        "ada@example.org",
        1,
    )
    assert item["addresses"][0]["city"] == "Ely"
    assert caller.get(f"customers/{ada.pk}").json() == item


def test_staff_and_clients_are_no_customers(caller: Caller) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.org", is_staff=True)
    client = User.objects.get(username="api:Warehouse")

    assert caller.get("customers").json()["items"] == []
    for user in (clerk, client):
        assert caller.get(f"customers/{user.pk}").status_code == 404


def test_one_is_found_by_the_address_in_any_case(caller: Caller) -> None:
    User.objects.create_user("ada", "ada@example.org")
    User.objects.create_user("bob", "bob@example.org")

    items = caller.get("customers", email="ADA@example.org").json()["items"]

    assert [item["email"] for item in items] == ["ada@example.org"]


def test_pages_follow_each_other(caller: Caller) -> None:
    for name in "abc":
        User.objects.create_user(name, f"{name}@example.org")

    first = caller.get("customers", limit=2).json()
    rest = caller.get("customers", limit=2, cursor=first["next"]).json()

    assert [item["email"][0] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


@pytest.mark.parametrize("pk", [0, 2**63, 10**30])
def test_an_id_that_nobody_has_is_not_found(caller: Caller, pk: int) -> None:
    assert caller.get(f"customers/{pk}").status_code == 404

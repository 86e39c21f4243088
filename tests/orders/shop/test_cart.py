"""The cart, which lives in the session."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Product, Stock
from tests.factories import add_product
from tests.orders.shop.pages import add, cart_of, text_of

pytestmark = pytest.mark.django_db


def change(client: Client, **fields: object) -> None:
    assert client.post("/cart/", fields).status_code == 302


def test_what_is_added_is_there_with_its_price(client: Client) -> None:
    add_product("MUG", price="9.90")

    add(client, "MUG", 2)
    add(client, "MUG")

    assert cart_of(client) == {"MUG": 3}
    assert "€29.70" in text_of(client.get("/cart/"))


def test_adding_returns_to_the_page_and_says_so(client: Client) -> None:
    add_product("MUG")

    page = client.post(
        "/cart/", {"action": "add", "sku": "MUG", "next": "/products/mug/"}, follow=True
    )

    assert page.redirect_chain == [("/products/mug/", 302)]
    assert "“Thing MUG” is in your cart." in text_of(page)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:x", ""])
def test_it_never_returns_to_a_page_of_others(client: Client, url: str) -> None:
    add_product("MUG")

    answer = client.post("/cart/", {"action": "add", "sku": "MUG", "next": url})

    assert answer.headers["Location"] == "/cart/"


def test_quantities_can_be_set_stepped_and_removed(client: Client) -> None:
    add_product("MUG")
    add(client, "MUG", 2)

    change(client, action="set", sku="MUG", quantity=5)
    assert cart_of(client) == {"MUG": 5}
    change(client, action="set", sku="MUG", quantity=5, step=1)
    assert cart_of(client) == {"MUG": 6}
    change(client, action="set", sku="MUG", quantity=6, step=-1)
    assert cart_of(client) == {"MUG": 5}
    change(client, action="set", sku="MUG", quantity=1, step=-1)
    assert cart_of(client) == {}

    add(client, "MUG", 2)
    change(client, action="remove", sku="MUG")
    assert cart_of(client) == {}
    assert "Your cart is empty" in text_of(client.get("/cart/"))


def test_a_product_is_had_999_times_at_most(client: Client) -> None:
    add_product("MUG")
    add(client, "MUG", 999)
    add(client, "MUG", 999)
    change(client, action="set", sku="MUG", quantity=999, step=1)

    assert cart_of(client) == {"MUG": 999}


def test_a_cart_holds_100_products_at_most(client: Client) -> None:
    for number in range(101):
        add_product(f"N{number}")
        add(client, f"N{number}")

    assert len(cart_of(client)) == 100
    assert "at most 100 different products" in text_of(client.get("/cart/"))


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "add", "sku": "MUG", "quantity": "-1"},
        {"action": "add", "sku": "MUG", "quantity": "0"},
        {"action": "add", "sku": "MUG", "quantity": "1000"},
        {"action": "add", "sku": "MUG", "quantity": "9" * 5_000},
        {"action": "add", "sku": "MUG", "quantity": "1.5"},
        {"action": "add", "sku": "MUG", "quantity": "two"},
        {"action": "add", "sku": "MUG", "quantity": "NaN"},
        {"action": "add", "sku": "MUG", "quantity": "1\x00"},
        {"action": "add", "sku": "MUG", "quantity": "1", "step": "-1"},
        {"action": "add", "sku": "MUG", "step": "1e9"},
        {"action": "add", "sku": "M\x00UG"},
        {"action": "add", "sku": "x" * 100_000},
        {"action": "add", "sku": "NOPE"},
        {"action": "add", "sku": "OLD"},
        {"action": "add"},
        {"action": "set", "sku": "MUG", "quantity": "3"},
        {"action": "remove", "sku": "NOPE"},
        {"action": "explode", "sku": "MUG"},
        {},
    ],
)
def test_what_is_not_in_order_changes_nothing(client: Client, fields: dict[str, str]) -> None:
    add_product("MUG")
    add_product("OLD", active=False)

    change(client, **fields)

    assert cart_of(client) == {}
    assert client.get("/cart/").status_code == 200


def test_bytes_that_are_no_text_are_survived(client: Client) -> None:
    add_product("MUG")

    answer = client.post(
        "/cart/",
        b"action=add&sku=%ed%a0%80&quantity=%ff",
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 302
    assert cart_of(client) == {}


def test_a_product_that_left_the_shop_is_told_and_dropped(client: Client) -> None:
    add_product("MUG")
    add_product("CUP")
    add(client, "MUG")
    add(client, "CUP")
    Product.objects.filter(sku="MUG").update(is_active=False)

    page = client.get("/cart/")

    assert "“Thing MUG” is no longer on sale" in text_of(page)
    assert cart_of(client) == {"CUP": 1}
    assert "no longer on sale" not in text_of(client.get("/cart/"))


def test_a_deleted_product_is_dropped(client: Client) -> None:
    product = add_product("MUG")
    add(client, "MUG")
    product.delete()

    assert "Your cart is empty" in text_of(client.get("/cart/"))
    assert cart_of(client) == {}


def test_too_much_is_told_with_what_is_left(client: Client) -> None:
    mug = add_product("MUG", stock=5)
    add_product("CUP", stock=5)
    add(client, "MUG", 4)
    add(client, "CUP", 4)
    Stock.objects.filter(product=mug).update(available=2)

    page = client.get("/cart/")

    assert text_of(page).count("Only 2 left.") == 1
    assert "Set to 2" in text_of(page)
    assert 'href="/checkout/"' not in page.content.decode()


def test_prices_are_those_of_now(client: Client) -> None:
    add_product("MUG", price="9.90")
    add(client, "MUG", 2)
    Product.objects.update(price="10.00")

    assert "€20.00" in text_of(client.get("/cart/"))


def test_looking_at_the_cart_does_not_write_the_session(client: Client) -> None:
    add_product("MUG")
    add(client, "MUG")
    before = Session.objects.get().expire_date

    client.get("/cart/")

    assert Session.objects.get().expire_date == before


def test_the_cart_asks_as_often_for_one_product_as_for_many(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/cart/")
        return len(captured)

    add_product("MUG")
    add(client, "MUG")
    client.get("/cart/")  # shows the message of `add`
    few = queries()
    for number in range(10):
        add_product(f"N{number}")
        add(client, f"N{number}")
    client.get("/cart/")

    assert queries() == few
    assert few <= 5


def test_a_change_without_the_token_is_refused_kindly() -> None:
    answer = Client(enforce_csrf_checks=True).post("/cart/", {"action": "add", "sku": "MUG"})

    assert answer.status_code == 403
    assert "This form is out of date" in text_of(answer)

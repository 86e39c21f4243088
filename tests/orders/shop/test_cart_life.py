"""A cart through its life: tabs at once, sign-in and sign-out, changes of the shop, its order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from orders.carts.cart import ShopperCart
from orders.models import Cart, CartLine, Product, Stock, User
from tests.factories import add_product
from tests.orders.accounts.pages import ADA, PASSWORD
from tests.orders.shop.pages import add, cart_of, text_of

real = pytest.mark.django_db(transaction=True)


def sign_in(client: Client) -> None:
    client.post("/accounts/login/", {"login": ADA, "password": PASSWORD})


def _add_in_tabs(products: list[Product], before_save: Any = None) -> dict[str, int]:
    """Add each product in a tab of its own, all at once; return the cart."""
    session = SessionStore()
    session.create()
    ShopperCart(session, user_id=None).add(add_product("FIRST"), 1)
    session.save()

    def tab(product: Product) -> None:
        own = SessionStore(session.session_key)
        try:
            ShopperCart(own, user_id=None).add(product, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(products)) as pool:
        list(pool.map(tab, products))
    return {row.sku: row.quantity for row in CartLine.objects.exclude(sku="FIRST")}


@real
def test_tabs_that_add_at_once_lose_nothing_of_each_other() -> None:
    mug, cup = add_product("MUG"), add_product("CUP")

    assert _add_in_tabs([mug] * 4 + [cup] * 4) == {"MUG": 4, "CUP": 4}


@real
def test_control_without_the_lock_units_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = add_product("MUG")
    CartLine.objects.create(
        cart=Cart.objects.create(), sku="OTHER", quantity=1, seen_name="", seen_price=None
    )
    both_have_read = threading.Barrier(2, timeout=20)
    save = CartLine.save

    def save_when_both_have_read(row: CartLine, **options: Any) -> None:
        if row.sku == "MUG" and row.pk:
            both_have_read.wait()
        save(row, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows.all())
    monkeypatch.setattr(CartLine, "save", save_when_both_have_read)
    session = SessionStore()
    session.create()
    ShopperCart(session, user_id=None).add(mug, 1)
    session.save()

    def tab(_number: int) -> None:
        try:
            ShopperCart(SessionStore(session.session_key), user_id=None).add(mug, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tab, range(2)))

    assert CartLine.objects.get(sku="MUG").quantity == 2  # of three


def _first_adds_at_once() -> tuple[int, list[dict[str, int]]]:
    """Add two products from one browser that has no session yet, both at once.

    Return the number of carts, and what each of the two sessions shows.
    """
    for sku in ("MUG", "CUP"):
        add_product(sku)
    both_without_session = threading.Barrier(2, timeout=20)

    def click(sku: str) -> Client:
        tab = Client()
        tab.cookies[settings.CSRF_COOKIE_NAME] = "s" * 32  # came with the form of the page
        both_without_session.wait()
        try:
            add(tab, sku)
        finally:
            connection.close()
        return tab

    with ThreadPoolExecutor(2) as pool:
        tabs = list(pool.map(click, ["MUG", "CUP"]))
    return Cart.objects.count(), [cart_of(tab) for tab in tabs]


@real
def test_a_guests_first_two_adds_at_once_are_in_one_cart() -> None:
    both = {"MUG": 1, "CUP": 1}

    assert _first_adds_at_once() == (1, [both, both])


@real
def test_control_where_only_the_session_names_the_cart_one_of_the_two_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ShopperCart, "_new_guest_id", lambda cart: uuid4())

    assert _first_adds_at_once() == (2, [{"MUG": 1}, {"CUP": 1}])


@pytest.mark.django_db
def test_the_carts_of_guest_and_account_become_one(client: Client, ada: User) -> None:
    for sku in ("MUG", "CUP", "LAMP"):
        add_product(sku)
    phone = Client()
    sign_in(phone)
    add(phone, "MUG", 3)
    add(phone, "CUP", 1)
    add(client, "MUG", 2)
    add(client, "LAMP", 5)

    sign_in(client)

    together = {"MUG": 3, "CUP": 1, "LAMP": 5}
    assert cart_of(client) == together
    assert cart_of(phone) == together
    page = text_of(client.get("/"))
    assert "are in one cart now" in page
    assert "9 items" in page
    for _again in range(2):
        client.post("/accounts/logout/")
        assert cart_of(client) == {}
        assert "Your cart is empty" in text_of(client.get("/cart/"))
        add(client, "MUG", 3)
        sign_in(client)
        assert cart_of(client) == together
    assert Cart.objects.filter(user=None).count() == 0


@pytest.mark.django_db
def test_what_has_no_room_waits_and_comes_when_there_is(client: Client, ada: User) -> None:
    phone = Client()
    sign_in(phone)
    for number in range(99):
        add_product(f"N{number}")
        add(phone, f"N{number}")
    for sku in ("MUG", "CUP"):
        add_product(sku)
        add(client, sku)

    sign_in(client)
    assert len(cart_of(client)) == 100
    assert "1 product waits until there is room" in text_of(client.get("/"))

    client.post("/cart/", {"action": "remove", "sku": "N0"})
    client.get("/cart/")
    assert len(cart_of(client)) == 100
    assert {"MUG", "CUP"} <= cart_of(client).keys()


@pytest.mark.django_db
def test_a_changed_price_is_told_once_in_words(client: Client) -> None:
    add_product("MUG", price="9.90")
    add(client, "MUG")
    Product.objects.update(price="12.00")

    told = "The price of “Thing MUG” went from €9.90 to €12.00."
    assert told in text_of(client.get("/cart/"))
    assert told not in text_of(client.get("/cart/"))


@pytest.mark.django_db
def test_more_than_there_is_is_told_when_it_is_added(client: Client) -> None:
    add_product("MUG", stock=2)

    answer = client.post("/cart/", {"action": "add", "sku": "MUG", "quantity": 5}, follow=True)

    assert "“Thing MUG” is in your cart, but only 2 are left." in text_of(answer)


@pytest.mark.django_db
def test_a_deleted_product_is_told_by_its_name(client: Client) -> None:
    product = add_product("MUG")
    add(client, "MUG")
    Stock.objects.all().delete()
    Product.objects.filter(pk=product.pk).delete()

    assert "“Thing MUG” is no longer on sale" in text_of(client.get("/cart/"))
    assert cart_of(client) == {}


@pytest.mark.django_db
def test_without_a_reload_the_answer_is_the_count_and_the_words(client: Client) -> None:
    add_product("MUG")

    answer = client.post(
        "/cart/",
        {"action": "add", "sku": "MUG", "quantity": 2},
        headers={"X-Requested-With": "cart.js"},
    )

    page = text_of(answer)
    assert 'id="cart-link"' in answer.content.decode()
    assert "2 items in the cart." in page
    assert "“Thing MUG” is in your cart." in page
    assert "is in your cart" not in text_of(client.get("/"))  # it was told


@pytest.mark.django_db
def test_a_cart_from_before_the_update_is_still_there(client: Client) -> None:
    add_product("MUG")
    client.get("/cart/")
    session = client.session
    session["cart"], session["checkout_key"] = {"MUG": 2}, "k" * 32
    session.save()
    client.cookies["sessionid"] = session.session_key or ""

    assert "Thing MUG" in text_of(client.get("/cart/"))
    assert cart_of(client) == {"MUG": 2}
    assert Cart.objects.get().checkout_key == "k" * 32


@pytest.mark.django_db
def test_nobody_gets_a_cart_by_its_id(client: Client, ada: User) -> None:
    add_product("MUG")
    sign_in(client)
    add(client, "MUG")
    stranger = Client()
    session = stranger.session
    session["cart_id"] = str(Cart.objects.get().pk)
    session.save()

    assert "Your cart is empty" in text_of(stranger.get("/cart/"))

"""The checkout sets its products aside, says until when, and counts them as the shopper's own."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from orders.holds.expiry import give_back_expired
from orders.models import Hold, Order, Stock
from tests.factories import add_product
from tests.orders.shop.pages import add, send, text_of
from tests.races import together

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

ASIDE = "Set aside for you until"


def set_aside(client: Client) -> Any:
    return client.post("/checkout/hold/", headers={"HX-Request": "true"})


def shopper(quantity: int = 1) -> Client:
    client = Client()
    add(client, "MUG", quantity)
    return client


def test_the_checkout_asks_for_a_hold_and_shows_its_clock() -> None:
    add_product("MUG", stock=5)
    client = shopper(2)

    before = client.get("/checkout/")
    answer = set_aside(client)
    after = client.get("/checkout/")

    assert ASIDE not in text_of(before)
    assert 'hx-trigger="load, ask"' in before.content.decode()
    assert ASIDE in text_of(answer)
    assert 'data-seconds="900"' in answer.content.decode()
    assert ASIDE in text_of(after)
    assert "load, ask" not in after.content.decode()
    assert Stock.objects.get().available == 3


def test_a_shoppers_own_units_are_there_for_her_and_sold_out_for_others() -> None:
    add_product("MUG", stock=1)
    mine, other = shopper(), shopper()
    set_aside(mine)

    assert "Adjust the marked products" not in text_of(mine.get("/cart/"))
    assert "Adjust the marked products" in text_of(other.get("/cart/"))
    assert "Somebody was quicker" in text_of(set_aside(other))
    assert "Sold out" not in text_of(mine.get("/products/mug/"))
    assert "Sold out" in text_of(other.get("/products/mug/"))


def test_the_order_uses_the_hold_which_is_over_then() -> None:
    add_product("MUG", stock=1)
    client = shopper()
    set_aside(client)

    answer = send(client, client.get("/checkout/"))

    assert answer.headers["Location"] == f"/orders/{Order.objects.get().pk}/"
    assert Hold.objects.get().status == "ordered"
    assert Stock.objects.get().available == 0
    assert "hold" not in client.session


def test_asked_for_twice_the_clock_goes_on_and_another_cart_begins_a_new_one() -> None:
    add_product("MUG", stock=5)
    client = shopper()
    set_aside(client)
    set_aside(client)
    assert Hold.objects.count() == 1

    add(client, "MUG", 2)
    assert "load, ask" in client.get("/checkout/").content.decode()
    set_aside(client)

    assert sorted(Hold.objects.values_list("status", "units")) == [("open", 3), ("replaced", 1)]
    assert Stock.objects.get().available == 2


def test_two_tabs_that_ask_at_once_have_one_hold() -> None:
    add_product("MUG", stock=1)
    client = shopper()
    tabs = [Client(), Client()]
    for tab in tabs:
        tab.cookies.load(client.cookies.output(header="", sep=";"))

    answers = together(*[partial(set_aside, tab) for tab in tabs])

    assert [ASIDE in text_of(answer) for answer in answers] == [True, True]
    assert Hold.objects.get().units == 1


def test_a_form_of_another_tab_forgets_no_open_hold() -> None:
    add_product("MUG", stock=5)
    client = shopper()
    old = client.get("/checkout/")
    send(client, old)
    add(client, "MUG", 2)
    set_aside(client)

    send(client, old)  # again: it finds its order

    assert "hold" in client.session
    assert Hold.objects.get(status="open").units == 2


def test_after_its_time_the_page_says_so_and_the_order_gets_what_is_left() -> None:
    add_product("MUG", stock=1)
    client = shopper()
    set_aside(client)
    Hold.objects.update(expires_at=Now() - timedelta(seconds=1))

    over = client.get("/checkout/")
    give_back_expired()
    still = client.get("/checkout/")
    answer = send(client, still)

    assert "The time is over" in text_of(over)
    assert "The time is over" in text_of(still)
    assert "/orders/" in answer.headers["Location"]


def test_a_hold_that_is_not_known_any_more_hinders_no_order() -> None:
    add_product("MUG", stock=5)
    client = shopper()
    set_aside(client)
    page = client.get("/checkout/")
    Hold.objects.all().delete()
    Stock.objects.update(available=5)

    answer = send(client, page)

    assert "/orders/" in answer.headers["Location"]


def test_what_is_set_aside_outlives_the_session_that_named_it() -> None:
    add_product("MUG", stock=1)
    client = shopper()
    set_aside(client)
    page = client.get("/checkout/")
    del client.cookies["sessionid"]

    answer = send(client, page)

    assert answer.headers["Location"] == f"/orders/{Order.objects.get().pk}/"
    assert Hold.objects.get().status == "ordered"


def test_a_form_with_an_error_has_its_hold_back_as_well() -> None:
    add_product("MUG", stock=1)
    client = shopper()
    set_aside(client)
    page = client.get("/checkout/")
    del client.cookies["sessionid"]

    shown = send(client, page, email="nobody")

    assert ASIDE in text_of(shown)
    assert "Sold out" not in text_of(shown)


def test_a_form_takes_no_hold_in_place_of_the_sessions_own() -> None:
    add_product("MUG", stock=3)
    mine, other = shopper(), shopper()
    set_aside(mine)
    set_aside(other)
    theirs = other.session["hold"]

    send(mine, mine.get("/checkout/"), hold=theirs, email="nobody")

    assert mine.session["hold"] != theirs


def test_without_javascript_the_button_keeps_what_was_typed() -> None:
    add_product("MUG", stock=5)
    client = shopper()
    typed = {"email": "ada@example.org", "name": "Ada", "line": "MUG*1", "key": "x" * 20}

    answer = client.post("/checkout/hold/", typed, follow=True)

    assert ASIDE in text_of(answer)
    assert 'value="ada@example.org"' in answer.content.decode()


def test_a_shop_that_holds_nothing_shows_nothing(settings: Any) -> None:
    settings.HOLD_MINUTES = 0
    add_product("MUG", stock=5)
    client = shopper()

    assert 'id="hold"' not in client.get("/checkout/").content.decode()
    assert "Nothing is set aside" in text_of(client.get("/cart/"))
    assert set_aside(client).status_code == 200
    assert not Hold.objects.exists()

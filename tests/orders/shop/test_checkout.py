"""From the cart to an order, and every way in which that may end otherwise."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from orders.models import Order, Product, Stock
from orders.placing.errors import (
    FieldError,
    InvalidOrder,
    OrderLimited,
    OutcomeUnknown,
    PlacementError,
    PlacementFailed,
    ShopBusy,
)
from project.limits.rates import Rate
from project.models import LimitCounter
from tests.factories import add_product
from tests.orders.shop.pages import (
    ADDRESS,
    SHOPPER,
    Response,
    add,
    cart_of,
    hidden_fields,
    send,
    text_of,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def test_htmx_is_loaded_and_configured_once(client: Client, form: Response) -> None:
    for page in (form, client.get("/products/mug/"), client.get("/")):
        assert page.content.decode().count("shop/htmx.min.js") == 1
        assert page.content.decode().count('name="htmx-config"') == 1


def fail_with(monkeypatch: pytest.MonkeyPatch, error: PlacementError) -> None:
    def place_order(request: object) -> None:
        raise error

    monkeypatch.setattr("orders.shop.views.checkout.place_order", place_order)


def test_an_order_is_placed_as_it_was_shown(client: Client, form: Response) -> None:
    answer = send(client, form, phone="0431 901 0")

    order = Order.objects.get()
    assert answer.headers["Location"] == f"/orders/{order.pk}/"
    assert (order.door, order.name, order.email) == ("shop", "Ada Lovelace", "ada@example.org")
    assert (order.phone, order.address, order.language) == ("+494319010", {}, "en")
    assert order.total == Decimal("19.80")
    assert list(order.lines.values_list("sku", "quantity")) == [("MUG", 2)]
    assert cart_of(client) == {}


def test_it_is_delivered_at_the_price_that_was_shown(
    client: Client, form: Response, settings: Any
) -> None:
    settings.DELIVERY_SIMULATED, settings.DELIVERY_BY_WEIGHT = False, []
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}

    offered = send(client, form, handover="delivery", **ADDRESS)
    assert "Choose how it is delivered." in text_of(offered)
    assert "Standard delivery there within 3 days €4.90" in text_of(offered)
    assert "€24.70" in text_of(offered)
    assert not Order.objects.exists()

    chosen = {"handover": "delivery", "delivery": "flat-rate/standard", **ADDRESS}
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("5.90")}
    dearer = send(client, offered, **chosen)
    assert "The total has changed. It is €25.70 now." in text_of(dearer)
    assert not Order.objects.exists()

    settings.DELIVERY_FLAT_RATE = {"DE": Decimal("5.90")}
    settings.DELIVERY_BY_WEIGHT = [(5000, Decimal("7.90"))]
    send(client, dearer, **chosen)
    order = Order.objects.get()
    assert (order.address, order.delivery_total, order.total) == (
        ADDRESS, Decimal("5.90"), Decimal("25.70"),
    )  # fmt: skip
    assert order.delivery["carrier"] == "flat-rate"


def test_another_delivery_without_javascript_is_confirmed_with_its_total(
    client: Client, form: Response, settings: Any
) -> None:
    settings.DELIVERY_SIMULATED, settings.DELIVERY_BY_WEIGHT = False, [(5000, Decimal("7.90"))]
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    offered = send(client, form, handover="delivery", **ADDRESS)
    chosen = {"handover": "delivery", "delivery": "by-weight/parcel", **ADDRESS}

    dearer = send(client, offered, **chosen)
    assert "With the delivery that you chose, the total is €27.70." in text_of(dearer)
    assert "has changed" not in text_of(dearer)
    picked_up = send(client, dearer, handover="pickup")
    assert "If you pick it up, the total is €19.80." in text_of(picked_up)
    assert not Order.objects.exists()

    send(client, send(client, picked_up, **chosen), **chosen)
    assert Order.objects.get().total == Decimal("27.70")


def test_a_delivery_that_is_not_offered_any_more_is_told_with_what_is(
    client: Client, form: Response, settings: Any
) -> None:
    settings.DELIVERY_SIMULATED, settings.DELIVERY_BY_WEIGHT = False, [(5000, Decimal("7.90"))]
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    offered = send(client, form, handover="delivery", **ADDRESS)
    settings.DELIVERY_FLAT_RATE = {"AT": Decimal("4.90")}

    refused = send(client, offered, handover="delivery", delivery="flat-rate/standard", **ADDRESS)

    assert "the delivery that you chose isn’t offered any more" in text_of(refused)
    assert "€27.70" in text_of(refused)
    assert not Order.objects.exists()


def test_an_address_is_not_asked_for_pickup(client: Client, form: Response) -> None:
    send(client, form, handover="pickup", **ADDRESS | {"postcode": "x" * 1000})

    assert Order.objects.get().address == {}


def test_its_messages_come_in_the_language_of_the_page(client: Client, form: Response) -> None:
    client.cookies["django_language"] = "zh-hans"

    send(client, form)

    assert Order.objects.get().language == "zh-hans"


def test_an_empty_cart_leads_back_to_the_cart(client: Client) -> None:
    assert client.get("/checkout/").headers["Location"] == "/cart/"
    assert send(client, client.get("/cart/")).headers["Location"] == "/cart/"


def test_a_form_that_is_sent_twice_is_one_order(client: Client, form: Response) -> None:
    first, second = send(client, form), send(client, form)

    assert Order.objects.count() == 1
    assert first.headers["Location"] == second.headers["Location"]
    assert Stock.objects.get().available == 8


def test_two_tabs_of_one_cart_are_one_order(client: Client, form: Response) -> None:
    other_tab = client.get("/checkout/")

    send(client, form)
    send(client, other_tab)

    assert Order.objects.count() == 1


def test_the_next_cart_is_another_order(client: Client, form: Response) -> None:
    send(client, form)
    add(client, "MUG", 2)

    send(client, client.get("/checkout/"))

    assert Order.objects.count() == 2


def test_an_old_form_does_not_empty_the_next_cart(client: Client, form: Response) -> None:
    send(client, form)
    add(client, "MUG", 2)

    send(client, form)

    assert cart_of(client) == {"MUG": 2}


def test_what_came_into_the_cart_meanwhile_stays(client: Client, form: Response) -> None:
    add_product("CUP")
    add(client, "CUP")
    add(client, "MUG")

    send(client, form)

    assert cart_of(client) == {"MUG": 1, "CUP": 1}


def test_an_old_form_with_a_new_cart_leads_to_its_own_order(client: Client, form: Response) -> None:
    send(client, form)
    add_product("CUP")
    add(client, "CUP")

    answer = client.post(
        "/checkout/", {**hidden_fields(form), **SHOPPER, "line": ["1 CUP"]}, follow=True
    )

    assert answer.redirect_chain == [(f"/orders/{Order.objects.get().pk}/", 302)]
    assert "You placed this order already." in text_of(answer)
    assert cart_of(client) == {"CUP": 1}


def test_too_little_stock_is_told_by_product_and_can_be_adjusted(
    client: Client, form: Response
) -> None:
    Stock.objects.update(available=1)

    refused = send(client, form, name="Zoë")
    assert "Thing MUG: you asked for 2, 1 left." in text_of(refused)
    assert not Order.objects.exists()
    assert 'value="Zoë"' in refused.content.decode()

    adjusted = send(client, refused, name="Zoë", adjust="1 MUG")
    assert 'value="Zoë"' in adjusted.content.decode()
    assert cart_of(client) == {"MUG": 1}

    send(client, adjusted, name="Zoë")
    assert Order.objects.get().lines.get().quantity == 1


def test_what_is_sold_out_can_be_removed(client: Client, form: Response) -> None:
    add_product("CUP")
    add(client, "CUP")
    Stock.objects.filter(product__sku="MUG").update(available=0)

    refused = send(client, client.get("/checkout/"))
    assert "Thing MUG is sold out." in text_of(refused)

    send(client, refused, adjust="0 MUG")
    assert cart_of(client) == {"CUP": 1}


def test_a_changed_price_is_told_and_confirmed_again(client: Client, form: Response) -> None:
    Product.objects.update(price="12.00")

    refused = send(client, form)
    page = text_of(refused)
    assert "The total has changed. It is €24.00 now." in page
    assert "The price of “Thing MUG” went from €9.90 to €12.00." in page
    assert not Order.objects.exists()

    send(client, refused)
    assert Order.objects.get().total == Decimal("24.00")


def test_a_product_that_left_the_shop_is_told(client: Client, form: Response) -> None:
    add_product("CUP")
    add(client, "CUP")
    page = client.get("/checkout/")
    Product.objects.filter(sku="CUP").update(is_active=False)

    refused = send(client, page)
    assert "“Thing CUP” is no longer on sale" in text_of(refused)
    assert not Order.objects.exists()

    send(client, refused)
    assert list(Order.objects.get().lines.values_list("sku", flat=True)) == ["MUG"]


def test_a_rush_keeps_form_and_key(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_with(patched, ShopBusy(retry_after=7))
        refused = send(client, form, name="Zoë")

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "7"
    assert "There is a rush right now" in text_of(refused)
    assert 'value="Zoë"' in refused.content.decode()
    assert hidden_fields(refused) == hidden_fields(form)
    send(client, refused, name="Zoë")
    assert Order.objects.get().name == "Zoë"


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("address", "very many orders came from your connection or browser"),
        ("session", "very many orders came from your connection or browser"),
        ("email", "very many orders were placed with this e-mail address"),
        ("phone", "Or order now without a phone number."),
        ("all", "the shop gets more orders right now than it can take"),
    ],
)
def test_too_many_orders_are_told_with_what_to_do(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch, limit: str, sentence: str
) -> None:
    fail_with(monkeypatch, OrderLimited(limit, 601))

    refused = send(client, form, name="Zoë")

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "601"
    assert sentence in text_of(refused)
    assert "Please place your order again in 11 minutes" in text_of(refused)
    assert 'value="Zoë"' in refused.content.decode()
    assert hidden_fields(refused) == hidden_fields(form)
    client.cookies["django_language"] = "zh-hans"
    assert "11 分钟后" in text_of(send(client, form))


def test_an_order_counts_by_the_network_and_the_browser(
    client: Client, form: Response, settings: Any
) -> None:
    settings.ORDER_LIMITS = dict.fromkeys(
        ("address", "email", "phone", "session", "all"), Rate(1, 3600)
    )
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2:3::4"

    send(client, form, phone="")

    keys = dict(LimitCounter.objects.values_list("name", "key"))
    assert keys["order:address"] == "2001:db8:1:2::/64"
    assert keys["order:email"] == SHOPPER["email"]
    assert "order:session" in keys
    assert "order:phone" not in keys


def test_an_unknown_outcome_keeps_the_key_and_shows_where_to_look(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = uuid4()
    with monkeypatch.context() as patched:
        fail_with(patched, OutcomeUnknown(order_id))
        refused = send(client, form)

    assert refused.status_code == 503
    assert "it is never ordered twice" in text_of(refused)
    assert f'href="/orders/{order_id}/"' in refused.content.decode()
    assert hidden_fields(refused)["key"] == hidden_fields(form)["key"]


def test_an_order_that_was_placed_unheard_still_empties_its_cart(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer never reached the shopper; the second finds the order."""
    from orders.placing.placement import place_order

    def answer_is_lost(request: Any) -> None:
        raise OutcomeUnknown(place_order(request).order.pk)

    with monkeypatch.context() as patched:
        patched.setattr("orders.shop.views.checkout.place_order", answer_is_lost)
        lost = send(client, form)

    send(client, lost)

    assert Order.objects.count() == 1
    assert cart_of(client) == {}


def test_a_failure_of_ours_is_told(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, PlacementFailed())

    answer = send(client, form)

    assert "Something went wrong on our side." in text_of(answer)
    assert 'value="Ada Lovelace"' in answer.content.decode()


def test_what_only_the_placement_sees_is_shown_at_its_field(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(
        monkeypatch,
        InvalidOrder([FieldError("email", "No such place."), FieldError("lines.0.sku", "Gone.")]),
    )

    answer = send(client, form)

    assert '<ul class="errorlist" id="id_email_error"><li>No such place.</li>' in (
        answer.content.decode()
    )
    assert "Gone." in text_of(answer)


def test_a_price_in_the_form_changes_nothing(client: Client, form: Response) -> None:
    send(client, form, price="0.01", unit_price="0.01", total="0.01")

    assert Order.objects.get().total == Decimal("19.80")

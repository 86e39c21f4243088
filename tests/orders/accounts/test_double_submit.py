"""An order that is sent twice around a sign-in is one order."""

import pytest
from django.test import Client

from orders.models import Order, Stock, User
from orders.placing import identity
from tests.orders.accounts.pages import ADA, PASSWORD
from tests.orders.shop.pages import Response, add, hidden_fields, send

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def sign_in(client: Client) -> None:
    client.post("/accounts/login/", {"login": ADA, "password": PASSWORD})


def units_taken() -> int:
    stock = Stock.objects.get()
    return stock.initial - stock.available


def test_an_order_placed_signed_in_belongs_to_the_user(
    client: Client, ada: User, form: Response
) -> None:
    sign_in(client)

    send(client, client.get("/checkout/"))

    order = Order.objects.get()
    assert order.user == ada
    assert order.display_number in client.get("/accounts/").content.decode()


def test_the_cart_and_its_key_survive_the_sign_in(
    client: Client, ada: User, form: Response
) -> None:
    sign_in(client)

    assert hidden_fields(client.get("/checkout/")) == hidden_fields(form)


def test_a_form_sent_as_guest_and_again_signed_in_is_one_order(
    client: Client, ada: User, form: Response
) -> None:
    first = send(client, form)
    sign_in(client)

    second = send(client, form)

    assert first.headers["Location"] == second.headers["Location"]
    assert (Order.objects.count(), units_taken()) == (1, 2)


def test_a_form_sent_signed_in_and_again_as_guest_is_one_order(
    client: Client, ada: User, form: Response
) -> None:
    sign_in(client)
    send(client, form)
    client.post("/accounts/logout/")
    shopper = Client()
    add(shopper, "MUG", 2)

    send(shopper, form)

    assert (Order.objects.count(), units_taken()) == (1, 2)


def test_control_with_the_user_in_the_shops_ids_it_would_be_two(
    client: Client, ada: User, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "owner_of_key", lambda *, source, user_id: user_id)
    send(client, form)
    sign_in(client)
    add(client, "MUG", 2)

    send(client, form)

    assert Order.objects.count() == 2

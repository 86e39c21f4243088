"""A shopper asks to be told when a sold-out product is back, confirms, and stops."""

from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from orders.messages.waiting_list import entry_id
from orders.models import Product, Stock, User, WaitingListEntry
from tests.factories import add_product
from tests.orders.accounts.pages import ADA, said, shape_of
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db
JOIN = "/products/mug/back-in-stock/"


@pytest.fixture
def mug() -> Product:
    return add_product("MUG", stock=0)


def ask(client: Client, email: str = ADA) -> Any:
    return client.post(JOIN, {"email": email}, follow=True)


def link(mug: Product, what: str) -> str:
    return f"/back-in-stock/{entry_id(product_id=mug.pk, email=ADA)}/{what}/"


def test_the_way_from_the_form_to_the_list_and_off_it(client: Client, mug: Product) -> None:
    assert "Tell me when it’s back" in text_of(client.get("/products/mug/"))
    answer = ask(client)
    assert answer.redirect_chain == [("/products/mug/", 302)]
    assert "a message is on its way there" in text_of(answer)
    [message] = said("back_in_stock_confirmation")
    assert message.context["url"].endswith(link(mug, "confirm"))

    assert "Yes, tell me" in text_of(client.get(link(mug, "confirm")))
    assert WaitingListEntry.objects.get().confirmed_at is None  # a scanner opened the link
    assert "You are on the list" in text_of(client.post(link(mug, "confirm")))
    assert WaitingListEntry.objects.get().confirmed_at is not None

    strict = Client(enforce_csrf_checks=True)  # a mail program has no token
    assert "Stop these messages" in text_of(strict.get(link(mug, "stop")))
    for _time in range(2):
        assert strict.post(link(mug, "stop")).status_code == 200
    assert not WaitingListEntry.objects.exists()


def test_a_repeat_is_answered_the_same_and_sends_nothing(mug: Product) -> None:
    first, second = shape_of(ask(Client())), shape_of(ask(Client()))
    Client().post(link(mug, "confirm"))

    assert first == second == shape_of(ask(Client()))
    assert len(said("back_in_stock_confirmation")) == 1


def test_a_signed_in_shoppers_confirmed_address_counts_at_once(
    client: Client, mug: Product
) -> None:
    ada = User.objects.create_user("ada", ADA)
    EmailAddress.objects.create(user=ada, email=ADA, verified=True, primary=True)
    client.force_login(ada)

    assert f'value="{ADA}"' in client.get("/products/mug/").content.decode()
    assert "We write to ada@example.org" in text_of(ask(client))
    ask(client, "eve@example.org")

    states = dict(WaitingListEntry.objects.values_list("email", "confirmed_at"))
    assert states[ADA] is not None
    assert states["eve@example.org"] is None


def test_a_wrong_address_stays_in_the_field_with_its_error(client: Client, mug: Product) -> None:
    answer = client.post(JOIN, {"email": "ada"})

    assert answer.status_code == 422
    assert answer.content.decode().count(" autofocus") == 1
    assert 'value="ada"' in answer.content.decode()
    assert "Enter a valid e-mail address" in text_of(answer)
    assert client.get(JOIN).headers["Location"] == "/products/mug/"


def test_what_is_back_meanwhile_is_said_so(client: Client, mug: Product) -> None:
    Stock.objects.update(available=3)

    assert "It is in stock again" in text_of(ask(client))
    assert not WaitingListEntry.objects.exists()


def test_nobody_can_flood_a_mailbox(mug: Product) -> None:
    answers = [Client().post(JOIN, {"email": ADA}).status_code for _try in range(6)]

    assert answers == [302] * 5 + [429]


def test_no_link_of_nobody_opens_anything(client: Client, mug: Product) -> None:
    for what in ("confirm", "stop"):
        assert client.get(f"/back-in-stock/{uuid4()}/{what}/").status_code == 404
        assert client.get(f"/back-in-stock/x/{what}/").status_code == 404
        assert client.put(f"/back-in-stock/{uuid4()}/{what}/").status_code == 405
    assert client.post(f"/back-in-stock/{uuid4()}/confirm/").status_code == 404
    assert client.post("/products/nope/back-in-stock/", {"email": ADA}).status_code == 404

"""Returns on the order's page: a shopper asks, sees what became of it, and may withdraw."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.lifecycle.returns import accept, refuse
from orders.models import Order, OrderEvent, Return, User
from tests.factories import add_product
from tests.order_states import (
    ask_return,
    cancelled,
    delivered,
    paid,
    receive_return,
    refund_order,
    shipped,
)
from tests.orders.shop.pages import text_of
from tests.pages import OpenedPage, open_page, read_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture(autouse=True)
def tea(settings: Any) -> None:
    settings.RETURN_DAYS, settings.LATE_RETURNS = 14, "refuse"
    settings.COMPANY_NAME, settings.COMPANY_ADDRESS = "Tea Ltd", ["Am Kai 1", "24103 Kiel"]
    add_product("TEA", stock=100, price="5.00")


def page_of(client: Client, order: Order) -> str:
    return text_of(client.get(order.get_absolute_url()))


def form_of(client: Client, order: Order) -> OpenedPage:
    """Return the form of the order's page, with what it holds."""
    page = open_page(client, order.get_absolute_url())
    return OpenedPage(client, f"{order.get_absolute_url()}returns/", page.values)


def line_of(order: Order) -> str:
    return f"line-{order.lines.get().pk}"


def test_a_shopper_asks_for_a_return_and_sees_it(client: Client) -> None:
    order = delivered(("TEA", 3))

    answer = form_of(client, order).send_and_follow(**{line_of(order): "2"}, reason="too strong")

    assert answer.redirect_chain[-1][0].endswith("#returns")
    text = text_of(answer)
    assert "We have your wish to return. We answer by e-mail." in text
    assert "2 × Thing TEA" in text
    assert "We look at it, and write to you." in text
    asked = Return.objects.get()
    assert (asked.reason, asked.lines.get().quantity) == ("too strong", 2)


def test_a_double_click_is_one_return(client: Client) -> None:
    order = delivered(("TEA", 4))
    form = form_of(client, order)

    answers = [form.send(**{line_of(order): "2"}) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Return.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"units": "0"}, "Choose at least one item to return."),
        ({"units": "9"}, "at most 3 can be returned"),
        ({"units": "x"}, "Enter a whole number"),
        ({"units": "1", "reason": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_returned_is_told_and_what_was_typed_is_kept(
    client: Client, sent: dict[str, str], says: str
) -> None:
    order = delivered(("TEA", 3))
    changes = {line_of(order): sent["units"], "reason": sent.get("reason", "too strong")}

    refused = form_of(client, order).send(**changes)

    assert refused.status_code == 422
    assert says in text_of(refused)
    assert f'value="{changes["reason"]}"' in refused.content.decode()
    assert refused.content.decode().count(" autofocus") == 1  # far down, and in sight
    assert not Return.objects.exists()


def test_the_address_of_a_refused_form_leads_to_the_order(client: Client) -> None:
    order = delivered(("TEA", 3))
    refused = form_of(client, order).send(**{line_of(order): "0"})

    answer = client.get(refused.request["PATH_INFO"])  # the language is switched there

    assert answer.headers["Location"] == f"/orders/{order.pk}/#returns"


def test_a_refused_form_can_be_sent_again(client: Client) -> None:
    order = delivered(("TEA", 3))
    form = form_of(client, order)
    refused = form.send(**{line_of(order): "0"})

    read_page(client, form.url, refused.content.decode()).send(**{line_of(order): "1"})

    assert Return.objects.count() == 1


def test_units_that_were_refunded_meanwhile_are_told(client: Client) -> None:
    order = delivered(("TEA", 3))
    form = form_of(client, order)
    refund_order(order.pk, {"TEA": 2})

    refused = form.send(**{line_of(order): "2"})

    assert "at most 1 can be returned" in text_of(refused)


@pytest.mark.parametrize("state", [paid, cancelled])
def test_an_order_that_was_not_sent_has_no_returns(
    client: Client, state: Callable[[], Order]
) -> None:
    order = state()

    assert "Return items" not in page_of(client, order)
    sent = {"return_id": uuid4(), line_of(order): "1"}
    answer = client.post(f"{order.get_absolute_url()}returns/", sent, follow=True)
    assert "can&#x27;t be returned." in text_of(answer)
    assert not Return.objects.exists()


def let_be_delivered(order: Order, *, days_ago: int) -> None:
    earlier = F("created_at") - timedelta(days=days_ago)
    OrderEvent.objects.filter(order=order, kind="delivered").update(created_at=earlier)


def test_after_its_time_the_page_says_what_to_do_instead(client: Client) -> None:
    order = delivered()
    let_be_delivered(order, days_ago=16)

    text = page_of(client, order)

    assert "Return items" not in text
    assert "It could be returned until" in text
    assert "answer one of our e-mails" in text


def test_after_its_time_a_shopper_may_ask_where_the_shop_wants_it(
    client: Client, settings: Any
) -> None:
    settings.LATE_RETURNS = "ask"
    order = delivered()
    let_be_delivered(order, days_ago=16)

    assert "The time to return it is over." in page_of(client, order)
    form_of(client, order).send(**{line_of(order): "1"})

    assert Return.objects.get().is_late


def test_an_accepted_return_says_where_to_send_it(client: Client) -> None:
    order = shipped()
    accept(return_id=ask_return(order).pk, answer="any carrier will do")

    text = page_of(client, order)

    assert "Tea Ltd Am Kai 1 24103 Kiel" in text
    assert "any carrier will do" in text


def test_a_refusal_and_a_refund_are_told(client: Client) -> None:
    order = delivered(("TEA", 3))
    refuse(return_id=ask_return(order, {"TEA": 1}).pk, answer="it is worn")
    asked = ask_return(order)
    accept(return_id=asked.pk)
    receive_return(asked, {"TEA": 2})

    text = page_of(client, order)

    assert "We can&#x27;t take it back: it is worn" in text
    assert "It came back to us: you get €10.00." in text


def test_a_shopper_withdraws(client: Client) -> None:
    order = delivered()
    asked = ask_return(order)
    url = f"{order.get_absolute_url()}returns/{asked.pk}/withdraw/"
    assert url in client.get(order.get_absolute_url()).content.decode()

    answer = client.post(url, follow=True)

    assert "Your return is withdrawn." in text_of(answer)
    assert "You keep it, as you wished." in text_of(answer)
    asked.refresh_from_db()
    assert asked.status == "withdrawn"


def test_a_return_of_another_order_is_not_found(client: Client) -> None:
    asked, other = ask_return(delivered()), delivered()

    answer = client.post(f"{other.get_absolute_url()}returns/{asked.pk}/withdraw/")

    assert answer.status_code == 404
    assert client.post(f"/orders/{uuid4()}/returns/").status_code == 404


def test_who_is_signed_in_is_in_the_timeline(client: Client) -> None:
    user = User.objects.create_user("ada")
    client.force_login(user)
    order = delivered()

    form_of(client, order).send(**{line_of(order): "1"})

    assert order.events.get(kind="return_requested").user == user


def test_returns_cost_few_queries_and_none_before_an_order_is_sent(client: Client) -> None:
    counts = {}
    for name, order in (("paid", paid()), ("none", delivered()), ("three", delivered(("TEA", 9)))):
        if name == "three":
            for _number in range(3):
                ask_return(order)
        with CaptureQueriesContext(connection) as queries:
            client.get(order.get_absolute_url())
        read = [query["sql"] for query in queries if "orders_return" in query["sql"]]
        counts[name] = len(read)

    assert counts == {"paid": 0, "none": 2, "three": 3}

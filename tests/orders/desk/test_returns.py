"""Returns at the desk: the worklist, the order's page, and the pages of the steps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from orders.desk.attention import read_tasks
from orders.lifecycle.returns import accept, refuse
from orders.models import Order, Refund, Return, Stock, User
from project.desk.loading import load_desk
from tests.factories import add_product
from tests.order_states import ask_return, delivered, receive_return, refund_order
from tests.orders.shop.pages import text_of
from tests.pages import link_of, open_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
LIST = "admin:orders_return_changelist"


@pytest.fixture(autouse=True)
def tea() -> None:
    add_product("TEA", stock=100, price="5.00")


@pytest.fixture
def as_role(client: Client) -> Callable[[str], Client]:
    def sign_in(role: str) -> Client:
        user = User.objects.create_user(role.replace(" ", ""), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def page_of(desk: Client, order: Order) -> Any:
    return desk.get(reverse("admin:orders_order_change", args=[order.pk]))


def step_page(desk: Client, order: Order, label: str) -> str:
    """Return where the order's page leads for this step; empty if it doesn't."""
    return link_of(page_of(desk, order).content.decode(), label)


def test_from_the_worklist_to_the_refund(desk: Client) -> None:
    order = delivered(("TEA", 3))
    ask_return(order, reason="too strong")
    listed = desk.get(reverse(LIST))
    assert "2 × Thing TEA" in text_of(listed)
    assert "too strong" in text_of(listed)

    accepting = link_of(listed.content.decode(), "Accept the return")
    answer = open_page(desk, accepting).send(answer="by post")
    assert answer.headers["Location"] == reverse(LIST)
    receiving = step_page(desk, order, "Enter what came back")
    line = order.lines.get().pk
    open_page(desk, receiving).send(**{f"came-{line}": "2", f"back-{line}": "1"})

    text = text_of(page_of(desk, order))
    assert "2 came, 1 back on sale" in text
    assert "€10.00 owed to the customer" in text
    assert Return.objects.get().status == "received"
    assert Refund.objects.get().amount == 10
    assert Stock.objects.get().available == 98
    [row] = page_of(desk, order).context["order_lines"].rows
    assert (row.refunded, row.returned, row.left) == (2, 1, 1)


def test_a_refusal_needs_its_reason(desk: Client) -> None:
    order = delivered()
    asked = ask_return(order)
    page = open_page(desk, step_page(desk, order, "Refuse the return"))

    refused = page.send(answer="")
    page.send(answer="worn")

    assert "This field is required." in text_of(refused)
    asked.refresh_from_db()
    assert (asked.status, asked.answer) == ("refused", "worn")


def test_a_shop_without_an_address_says_where_the_goods_go(desk: Client, settings: Any) -> None:
    settings.COMPANY_ADDRESS = []
    order = delivered()
    asked = ask_return(order)
    page = open_page(desk, step_page(desk, order, "Accept the return"))

    refused = text_of(page.send(answer=""))
    page.send(answer="Bring it to the shop")

    assert "This field is required." in refused
    assert "The shop has no COMPANY_ADDRESS" in refused
    asked.refresh_from_db()
    assert (asked.status, asked.answer) == ("accepted", "Bring it to the shop")


def test_each_page_says_what_will_happen(desk: Client) -> None:
    order = delivered(("TEA", 2))
    asked = ask_return(order)
    accepting = desk.get(step_page(desk, order, "Accept the return"))
    accept(return_id=asked.pk)
    url = step_page(desk, order, "Enter what came back")
    receiving = desk.get(url)
    line = order.lines.get().pk
    sent = {f"came-{line}": "1", f"back-{line}": "1", "answer": ""}
    foreseen = text_of(desk.post(f"{url}?foresee", sent))

    assert "Their price is owed once they came. The customer gets an e-mail." in " ".join(
        accepting.context["effects"]
    )
    assert receiving.context["effects"] == [
        "No unit returns to the stock.",
        "€10.00 is owed to the customer.",
        "The order is refunded as a whole.",
        "The customer gets an e-mail.",
    ]
    assert "1 unit returns to the stock." in foreseen
    assert "1 unit that was asked for stays the customer&#x27;s." in foreseen
    assert asked.lines.get().received == 0


def test_a_return_that_has_ended_offers_no_step_at_an_old_address(desk: Client) -> None:
    order = delivered()
    asked = ask_return(order)
    url = step_page(desk, order, "Refuse the return")
    receive_return(accept(return_id=asked.pk, answer="by post"), {"TEA": 2})

    answer = desk.get(url, follow=True)

    assert answer.redirect_chain == [(reverse("admin:orders_order_change", args=[order.pk]), 302)]
    assert "This return can&#x27;t be refused any more: it is received." in text_of(answer)


def test_the_refund_page_leaves_out_what_is_to_come(desk: Client) -> None:
    order = delivered(("TEA", 3))
    ask_return(order)

    page = open_page(desk, step_page(desk, order, "Refund"))

    assert page.values[f"line-{order.lines.get().pk}"] == ["1"]
    assert "1 of 3 left" in text_of(desk.get(page.url))


def test_a_page_that_is_older_than_a_refund_is_refused(desk: Client) -> None:
    order = delivered(("TEA", 3))
    ask_return(order)
    page = open_page(desk, step_page(desk, order, "Accept the return"))
    refund_order(order.pk, {"TEA": 1})

    refused = page.send(answer="by post")

    assert "isn&#x27;t as your page showed it" in text_of(refused)
    assert Return.objects.get().status == "requested"


def test_a_return_of_another_order_is_not_found(desk: Client) -> None:
    asked, other = ask_return(delivered()), delivered()

    url = reverse("admin:orders_order_return", args=[other.pk, asked.pk, "accept"])
    unknown = reverse("admin:orders_order_return", args=[asked.order_id, asked.pk, "lose"])

    assert desk.get(url).status_code == 404
    assert desk.get(unknown).status_code == 404


# ── Who may what ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("role", "steps"),
    [
        ("Viewer", []),
        ("Stock keeper", ["Enter what came back"]),
        ("Clerk", ["Enter what came back", "Refuse the return"]),
        ("Manager", ["Enter what came back", "Refuse the return"]),
        ("Engineer", []),
    ],
)
def test_each_role_sees_the_steps_that_it_may_take(
    as_role: Callable[[str], Client], role: str, steps: list[str]
) -> None:
    order = delivered()
    asked = ask_return(order)
    accept(return_id=asked.pk)
    desk = as_role(role)

    [row] = page_of(desk, order).context["returns"]
    listed = desk.get(reverse(LIST), {"status": "accepted"}).content.decode()
    every = ("Accept the return", "Enter what came back", "Refuse the return")

    assert [str(step.label) for step, _url in row.steps] == steps
    assert [label for label in every if link_of(listed, label)] == steps


@pytest.mark.parametrize("step", ["accept", "refuse"])
def test_who_only_packs_decides_nothing(as_role: Callable[[str], Client], step: str) -> None:
    asked = ask_return(delivered())
    desk = as_role("Stock keeper")

    url = reverse("admin:orders_order_return", args=[asked.order_id, asked.pk, step])

    assert desk.post(url, {"answer": "x"}).status_code == 403
    asked.refresh_from_db()
    assert asked.status == "requested"


# ── Lists and figures ───────────────────────────────────────────────────────────────────────────
def test_the_worklist_has_the_oldest_to_answer_first_and_the_others_by_status(
    desk: Client,
) -> None:
    orders = [delivered() for _number in range(3)]
    returns = [ask_return(order) for order in orders]
    refuse(return_id=returns[1].pk, answer="worn")

    listed = desk.get(reverse(LIST)).context["cl"].result_list
    refused = desk.get(reverse(LIST), {"status": "refused"}).context["cl"].result_list

    assert [row.order_id for row in listed] == [orders[0].pk, orders[2].pk]
    assert [row.pk for row in refused] == [returns[1].pk]


def test_a_late_wish_is_marked(desk: Client) -> None:
    asked = ask_return(delivered())
    Return.objects.update(is_late=True)

    assert "Requested late" in text_of(desk.get(reverse(LIST)))
    assert "late" in text_of(page_of(desk, asked.order)).partition("Returns")[2]


def test_the_overview_counts_what_is_to_answer_and_to_come(desk: Client) -> None:
    ask_return(delivered())
    accept(return_id=ask_return(delivered()).pk)
    receive_return(asked := ask_accepted(), {"TEA": 2})

    tasks = {task.name: task for task in read_tasks(load_desk_site())}

    assert (tasks["requested"].count, tasks["requested"].is_urgent) == (1, True)
    assert (tasks["accepted"].count, tasks["accepted"].is_urgent) == (1, False)
    found = desk.get(tasks["accepted"].url).context["cl"].result_list
    assert [row.status for row in found] == ["accepted"]
    assert asked.pk not in {row.pk for row in found}


def ask_accepted() -> Return:
    return accept(return_id=ask_return(delivered()).pk)


def load_desk_site() -> Any:
    load_desk()
    from django.contrib import admin

    return admin.site


def test_the_worklist_reads_its_index() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        wanted = Return.objects.filter(status="requested").order_by("requested_at", "id")[:50]

        assert "return_by_status" in wanted.explain()


def test_a_return_to_answer_is_the_next_step_of_an_order_that_has_ended(desk: Client) -> None:
    order = delivered()
    ask_return(order)

    assert str(page_of(desk, order).context["next_step"].step.label) == "Accept the return"

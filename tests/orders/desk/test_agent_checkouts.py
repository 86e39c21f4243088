"""Agents' checkouts at the desk: found, read, and never a token among them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.models import AgentCheckout, AgentPlatform, Order
from orders.placing.identity import order_id
from tests.factories import add_product, make_order
from tests.orders.desk.agents import TOKEN, checkout, person, platform, wanted

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_agentcheckout_changelist")
Stage = AgentCheckout.Stage


@pytest.fixture
def clerk() -> Client:
    return person("Clerk")


def page_of(one: AgentCheckout) -> str:
    return reverse("admin:orders_agentcheckout_change", args=[one.pk])


def listed(client: Client, **query: Any) -> list[Any]:
    return [row.pk for row in client.get(LIST, query).context["cl"].result_list]


def test_the_page_has_lines_sums_buyer_messages_and_no_token(clerk: Client) -> None:
    add_product("MUG")
    one = checkout()

    page = clerk.get(page_of(one)).content.decode()

    for text in ("MUG", "€12.30", "€24.60", "-€1.00", "€4.90", "€28.50", "Ada Lovelace"):
        assert text in page
    for text in ("ada@example.org", "1 Main St, Kiel", "SPRING", "transfer: invoice"):
        assert text in page
    assert "It is made with a picture of the buyer." in page
    assert "Needs a person" in page
    assert TOKEN not in page
    assert TOKEN not in clerk.get(LIST).content.decode()


def test_a_completed_one_leads_to_its_order(clerk: Client) -> None:
    order = make_order(add_product("MUG"))
    one = checkout(None, order)

    pages = [clerk.get(url).content.decode() for url in (LIST, page_of(one))]

    for page in pages:
        assert reverse("admin:orders_order_change", args=[order.pk]) in page
        assert order.display_number in page
    assert "It is made with a picture of the buyer." not in pages[1]


def test_one_that_a_person_completed_has_its_order_before_the_agent_asks(clerk: Client) -> None:
    one = checkout()
    key = order_id(source=Order.Source.SHOP, user_id=None, key=one.pk.hex)
    order = make_order(add_product("MUG"), id=key)

    page = clerk.get(LIST)

    [row] = page.context["cl"].result_list
    assert (row.shown.order, row.shown.state) == (order, Stage.COMPLETED)
    assert reverse("admin:orders_order_change", args=[order.pk]) in page.content.decode()


def test_each_stage_has_its_filter(clerk: Client) -> None:
    of_stage = {
        "open": checkout(),
        "over": checkout(expires_at=timezone.now() - timedelta(seconds=1)),
        "completing": checkout(stage=Stage.COMPLETING),
        "completed": checkout(None, make_order(add_product("MUG"))),
        "canceled": checkout(stage=Stage.CANCELED),
    }

    found = {name: listed(clerk, stage=name) for name in of_stage}

    assert found == {name: [one.pk] for name, one in of_stage.items()}
    assert len(listed(clerk, stage="nonsense")) == 5


def test_the_filter_offers_the_latest_platforms_and_the_chosen_one(clerk: Client) -> None:
    rare = platform("https://rare.example/", used_at=timezone.now() - timedelta(days=9))
    mine = checkout(rare)
    for number in range(25):
        checkout(platform(f"https://p{number}.example/"))

    def offered(**query: Any) -> list[str]:
        _stages, platforms = clerk.get(LIST, query).context["cl"].filter_specs
        return [words for _key, words in platforms.lookup_choices]

    assert listed(clerk, platform=rare.pk) == [mine.pk]
    assert (len(offered()), "https://rare.example/" in offered()) == (20, False)
    assert offered(platform=rare.pk)[-1] == "https://rare.example/"
    assert len(listed(clerk, platform="9" * 30)) == 26


def test_one_is_found_by_id_number_and_the_buyers_address(clerk: Client) -> None:
    order = make_order(add_product("MUG"))
    one = checkout(None, order)
    other = checkout(wanted=wanted("Bob@Example.org", ("MUG", 1, 1230)))

    assert listed(clerk, q=str(one.pk)) == [one.pk]
    assert listed(clerk, q=order.display_number) == [one.pk]
    assert listed(clerk, q="bob@example.org") == [other.pk]
    assert listed(clerk, q="BOB@exam") == [other.pk]
    assert listed(clerk, q=str(uuid4())) == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"q": "ada@example.org"}, "agent_checkout_of_buyer"),
        ({}, "orders_agentcheckout_changed_at"),
    ],
)
def test_no_list_or_search_reads_the_table_whole(
    query: dict[str, str], index: str, clerk: Client
) -> None:
    of = platform()
    AgentCheckout.objects.bulk_create(
        AgentCheckout(
            platform=of,
            wanted=wanted(f"c{number}@example.org", ("MUG", 1, 1230)),
            expires_at=timezone.now(),
            changed_at=timezone.now() - timedelta(minutes=number),
        )
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_agentcheckout")
    with CaptureQueriesContext(connection) as queries:
        assert clerk.get(LIST, query).status_code == 200
    asked = [
        each["sql"]
        for each in queries
        if each["sql"].startswith("SELECT") and 'FROM "orders_agentcheckout"' in each["sql"]
    ]

    plans = []
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plans.append("\n".join(row[0] for row in cursor.fetchall()))

    assert plans
    assert index in plans[0]
    assert "Seq Scan on orders_agentcheckout" not in plans[0]


@pytest.mark.parametrize("completed", [False, True])
def test_the_list_takes_as_many_queries_for_one_row_as_for_many(
    completed: bool, clerk: Client
) -> None:
    mug = add_product("MUG")

    def add(of: AgentPlatform) -> None:
        checkout(of, make_order(mug) if completed else None)

    add(platform())
    clerk.get(LIST)
    with CaptureQueriesContext(connection) as alone:
        clerk.get(LIST)
    for number in range(15):
        add(platform(f"https://p{number}.example/"))

    with CaptureQueriesContext(connection) as many:
        clerk.get(LIST)

    assert len(many) <= len(alone) <= 12


def test_a_checkout_of_which_little_is_known_opens(clerk: Client) -> None:
    one = checkout(wanted={"lines": [["GONE", 3]]})

    page = clerk.get(page_of(one)).content.decode()

    assert "GONE" in page
    assert "The agent hasn’t said yet who buys." in page


def test_nobody_changes_one_and_a_stock_keeper_sees_none(clerk: Client) -> None:
    one = checkout()

    assert clerk.post(page_of(one), {"stage": "canceled"}).status_code == 403
    assert person("Stock keeper").get(LIST).status_code == 403


def test_an_empty_list_says_where_older_ones_are(clerk: Client) -> None:
    assert "No agent has begun a checkout in the last 30 days." in clerk.get(LIST).content.decode()

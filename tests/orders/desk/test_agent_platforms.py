"""Agent platforms at the desk: what they do here, and keeping one out."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.webhooks.wellbeing import note_silence, switch_off
from orders.agents import local_platforms
from orders.agents.order_events import events_endpoint
from orders.agents.versions import ORDER
from orders.models import AgentCheckout, AgentPlatform
from tests.factories import add_product, make_order
from tests.orders.desk.agents import PROFILE, checkout, person, platform

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_agentplatform_changelist")


@pytest.fixture
def manager() -> Client:
    return person("Manager")


def page_of(one: AgentPlatform) -> str:
    return reverse("admin:orders_agentplatform_change", args=[one.pk])


def act(client: Client, action: str, *rows: AgentPlatform, **fields: str) -> str:
    sent = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(LIST, sent, follow=True).content.decode()


def test_the_list_counts_open_checkouts_and_the_orders_of_30_days(manager: Client) -> None:
    acme, other = platform(), platform("https://other.example/", is_known=True)
    mug = add_product("MUG")
    for _time in range(2):
        checkout(acme)
    checkout(acme, expires_at=timezone.now() - timedelta(seconds=1))
    checkout(acme, stage=AgentCheckout.Stage.CANCELED)
    checkout(acme, make_order(mug))
    checkout(acme, make_order(mug), changed_at=timezone.now() - timedelta(days=31))

    rows = {row.pk: row for row in manager.get(LIST).context["cl"].result_list}

    assert (rows[acme.pk].is_open, rows[acme.pk].ordered) == (2, 1)
    assert (rows[other.pk].is_open, rows[other.pk].ordered) == (0, 0)


def test_it_says_how_each_is_known(manager: Client) -> None:
    platform()
    platform("https://loaded.example/", is_known=True)
    platform("https://dark.example/", document={})

    page = manager.get(LIST).content.decode()

    assert "Fetched" in page
    assert "Loaded" in page
    assert "Unreadable" in page


def test_one_is_found_by_its_host_and_by_its_state(manager: Client) -> None:
    acme = platform()
    blocked = platform("https://other.example/", blocked_at=timezone.now(), block_reason="Spam")

    found = [
        [row.pk for row in manager.get(LIST, query).context["cl"].result_list]
        for query in ({"q": "acme.ex"}, {"q": PROFILE}, {"state": "blocked"}, {"state": "in"})
    ]

    assert found == [[acme.pk], [acme.pk], [blocked.pk], [acme.pk]]


def test_its_page_says_where_events_go_and_whether_somebody_takes_them(manager: Client) -> None:
    address = "https://acme.example/events"
    document = local_platforms.platform()
    document["ucp"]["capabilities"][ORDER][0]["config"] = {"webhook_url": address}
    acme, dark = platform(document=document), platform("https://dark.example/", document={})

    assert address in manager.get(page_of(acme)).content.decode()
    endpoint = events_endpoint(acme)
    assert endpoint is not None
    note_silence(endpoint, reason="No answer")

    assert "No answer since" in manager.get(page_of(acme)).content.decode()
    assert manager.get(page_of(dark)).status_code == 200


def test_events_that_were_ended_by_a_410_go_on_by_its_page(manager: Client) -> None:
    document = local_platforms.platform()
    config = {"webhook_url": "https://acme.example/events"}
    document["ucp"]["capabilities"][ORDER][0]["config"] = config
    acme = platform(document=document)
    endpoint = events_endpoint(acme)
    assert endpoint is not None
    before = manager.get(page_of(acme)).content.decode()
    switch_off(endpoint, reason="410 Gone")
    ended = manager.get(page_of(acme)).content.decode()

    page = act(manager, "resume_events", acme)

    assert ("resume_events" in before, "resume_events" in ended) == (False, True)
    assert "1 address of events goes on." in page
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.gone_at) == ("active", None)
    assert "Send its events again" in LogEntry.objects.latest("pk").change_message


def test_a_platforms_page_has_its_latest_checkouts_and_orders(manager: Client) -> None:
    acme = platform()
    order = make_order(add_product("MUG"))
    open_one = checkout(acme)
    checkout(acme, order)
    foreign = checkout(platform("https://other.example/"))

    page = manager.get(page_of(acme)).content.decode()

    assert reverse("admin:orders_agentcheckout_change", args=[open_one.pk]) in page
    assert reverse("admin:orders_order_change", args=[order.pk]) in page
    assert reverse("admin:orders_agentcheckout_change", args=[foreign.pk]) not in page
    assert "dev.ucp.shopping.cart" in page


def test_a_platform_is_blocked_with_a_reason_and_let_in_again(manager: Client) -> None:
    acme = platform()

    asked = act(manager, "block", acme)
    acme.refresh_from_db()
    before = acme.blocked_at
    refused = act(manager, "block", acme, reason="  ")
    done = act(manager, "block", acme, reason="Orders that nobody pays")
    acme.refresh_from_db()

    assert "Block these platforms?" in asked
    assert (before, "This field is required." in refused) == (None, True)
    assert "1 platform is blocked." in done
    assert acme.blocked_at is not None
    assert "Orders that nobody pays" in manager.get(page_of(acme)).content.decode()

    assert "1 platform may shop again." in act(manager, "let_in", acme)
    assert AgentPlatform.objects.filter(blocked_at=None, block_reason="").get() == acme


def test_the_audit_log_says_who_blocked_whom_and_why(manager: Client) -> None:
    acme = platform()
    for _time in range(2):  # the second one changes nothing
        act(manager, "block", acme, reason="Orders that nobody pays")
    for _time in range(2):
        act(manager, "let_in", acme)

    entries = list(LogEntry.objects.order_by("pk"))

    assert [entry.object_repr for entry in entries] == [PROFILE, PROFILE]
    assert {entry.user.username for entry in entries} == {"manager"}
    assert "Orders that nobody pays" in entries[0].change_message
    assert "Let in again" in entries[1].change_message
    history = reverse("admin:orders_agentplatform_history", args=[acme.pk])
    assert "Orders that nobody pays" in manager.get(history).content.decode()


@pytest.mark.parametrize("role", ["Viewer", "Clerk"])
def test_who_may_only_look_blocks_nothing(role: str) -> None:
    acme, client = platform(), person(role)

    act(client, "block", acme, reason="x")

    acme.refresh_from_db()
    assert acme.blocked_at is None
    assert 'name="action" value="block"' not in client.get(page_of(acme)).content.decode()


def test_the_list_takes_as_many_queries_for_one_row_as_for_many(manager: Client) -> None:
    checkout(platform())
    manager.get(LIST)
    with CaptureQueriesContext(connection) as alone:
        manager.get(LIST)
    for number in range(15):
        checkout(platform(f"https://p{number}.example/"))

    with CaptureQueriesContext(connection) as many:
        manager.get(LIST)

    assert len(many) <= len(alone) <= 12


def test_an_empty_list_says_where_platforms_come_from(manager: Client) -> None:
    assert "No agent has come yet." in manager.get(LIST).content.decode()

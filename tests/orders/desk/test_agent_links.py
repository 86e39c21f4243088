"""Linked assistants at the desk: who reads whose orders, and the end of it."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from orders.agents.linking.authorizing import hashed
from orders.agents.linking.tokens import USED, link_of
from orders.models import AgentLink, User
from tests.orders.desk.agents import link, person

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_agentlink_changelist")


@pytest.fixture
def manager() -> Client:
    return person("Manager")


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.org")


def end(client: Client, *rows: AgentLink, **fields: str) -> str:
    sent = {"action": "end_link", "_selected_action": [row.pk for row in rows], **fields}
    return client.post(LIST, sent, follow=True).content.decode()


def listed(client: Client, **query: str) -> list[object]:
    return [row.pk for row in client.get(LIST, query).context["cl"].result_list]


def test_the_list_says_who_reads_what_of_whom(manager: Client, ada: User) -> None:
    link(ada)

    page = manager.get(LIST).content.decode()

    for text in ("Assistant", "ada@example.org", "Read your orders", "Linked"):
        assert text in page


def test_an_operator_ends_a_link_with_a_reason(manager: Client, ada: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.org")
    mine, again, other, foreign = link(ada), link(ada), link(ada, "Other"), link(bob)

    asked = end(manager, mine)
    before = AgentLink.objects.filter(ended_at=None).count()
    done = end(manager, mine, reason="She asked by phone")

    assert "End these links?" in asked
    assert before == 4
    assert "1 link has ended." in done
    live = set(AgentLink.objects.filter(ended_at=None).values_list("pk", flat=True))
    assert live == {other.pk, foreign.pk}  # `again` is of the same consent: it went, too
    assert again.pk not in live


def test_a_reason_is_needed(manager: Client, ada: User) -> None:
    page = end(manager, link(ada), reason="")

    assert "This field is required." in page
    assert AgentLink.objects.get().ended_at is None


def test_a_code_that_waits_ends_with_the_link(manager: Client, ada: User) -> None:
    mine = link(ada)
    waits = link(ada, refresh_until=None, code_until=timezone.now() + timedelta(minutes=1))

    end(manager, mine, reason="She asked by phone")

    waits.refresh_from_db()
    assert waits.ended_at is not None


def test_the_audit_log_has_it_once_at_the_account(manager: Client, ada: User) -> None:
    mine = link(ada)
    for _time in range(2):
        end(manager, mine, reason="She asked by phone")

    entry = LogEntry.objects.get()

    assert (entry.object_id, entry.user.username) == (str(ada.pk), "manager")
    assert "Assistant: She asked by phone" in entry.change_message


@pytest.mark.parametrize("role", ["Viewer", "Clerk", "Engineer"])
def test_only_managers_see_whose_account_is_linked(role: str, ada: User) -> None:
    mine, client = link(ada), person(role)

    assert client.get(LIST).status_code == 403
    end(client, mine, reason="x")
    assert AgentLink.objects.get().ended_at is None


def test_who_may_only_look_ends_nothing(clerk_client: Client, ada: User) -> None:
    mine = link(ada)

    page = end(clerk_client, mine, reason="x")

    assert "ada@example.org" in page
    assert AgentLink.objects.get().ended_at is None


def test_links_are_found_by_address_name_and_state(manager: Client, ada: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.org")
    mine = link(ada)
    ended = link(bob, "Robot", ended_at=timezone.now())
    over = link(bob, "Old", refresh_until=timezone.now() - timedelta(days=1))
    link(bob, "Never", refresh_until=None)  # its code was never redeemed

    assert listed(manager) == [over.pk, ended.pk, mine.pk]
    assert listed(manager, q="ADA@exam") == [mine.pk]
    assert listed(manager, q="robo") == [ended.pk]
    assert listed(manager, state="linked") == [mine.pk]
    assert listed(manager, state="ended") == [ended.pk]
    assert listed(manager, state="over") == [over.pk]


def test_a_use_is_noted_once_an_hour(ada: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    mine = link(ada, access_hash=hashed("token"), access_until=soon)
    with CaptureQueriesContext(connection) as first:
        link_of("token")
    with CaptureQueriesContext(connection) as second:
        link_of("token")
    mine.refresh_from_db()
    noted = mine.used_at
    AgentLink.objects.update(used_at=timezone.now() - USED - timedelta(seconds=1))

    link_of("token")

    mine.refresh_from_db()
    assert noted is not None
    assert any("UPDATE" in each["sql"] for each in first)
    assert not any("UPDATE" in each["sql"] for each in second)
    assert mine.used_at is not None
    assert mine.used_at >= noted


def test_no_hash_is_on_its_page(manager: Client, ada: User) -> None:
    mine = link(ada, access_hash=hashed("token"), refresh_hash=hashed("other"))

    page = manager.get(reverse("admin:orders_agentlink_change", args=[mine.pk])).content.decode()

    assert "Assistant" in page
    assert not any(secret in page for secret in (hashed("token"), hashed("other")))


def test_the_list_takes_as_many_queries_for_one_row_as_for_many(manager: Client, ada: User) -> None:
    link(ada)
    manager.get(LIST)
    with CaptureQueriesContext(connection) as alone:
        manager.get(LIST)
    for number in range(15):
        shopper = User.objects.create_user(f"s{number}", f"s{number}@example.org")
        link(shopper, f"Assistant {number}")

    with CaptureQueriesContext(connection) as many:
        manager.get(LIST)

    assert len(many) <= len(alone) <= 12


def test_an_empty_list_says_how_a_link_is_made(manager: Client) -> None:
    assert "No shopper has linked an assistant." in manager.get(LIST).content.decode()

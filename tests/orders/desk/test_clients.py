"""API clients at the desk: made, limited, switched off; keys shown once and revoked."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.clients.keys import BadKeyError, find_access, make_key
from orders.clients.scopes import ORDERS_READ, SCOPES
from orders.clients.secret import PATTERN
from orders.models import ApiClient, ApiKey, User
from tests.clients import api_client, key_of
from tests.pages import open_page

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_apiclient_changelist")


@pytest.fixture
def desk(db: None) -> Client:
    """A manager at the desk."""
    manager = User.objects.create_user("mia", "mia@example.org", is_staff=True)
    manager.groups.add(Group.objects.get(name="Manager"))
    client = Client()
    client.force_login(manager)
    return client


def change_url(client: ApiClient) -> str:
    return reverse("admin:orders_apiclient_change", args=[client.pk])


def make_url(client: ApiClient) -> str:
    return reverse("admin:orders_apiclient_make_key", args=[client.pk])


def make(desk: Client, client: ApiClient, **fields: Any) -> Any:
    return desk.post(make_url(client), {"scopes": [ORDERS_READ], "expires_at": ""} | fields)


def test_a_client_is_made_with_its_user(desk: Client) -> None:
    answer = desk.post(
        reverse("admin:orders_apiclient_add"),
        {"name": "  The   Warehouse ", "is_active": "on", "requests_per_minute": "60"},
    )

    client = ApiClient.objects.get()
    assert answer.status_code == 302
    assert (client.name, client.requests_per_minute) == ("The Warehouse", 60)
    assert client.user.username == "api:The Warehouse"


def test_a_key_is_shown_once_and_not_kept_by_the_browser(desk: Client) -> None:
    client = api_client()

    page = make(desk, client)

    text = re.search(PATTERN, page.content.decode())
    assert text is not None
    access = find_access(text[0])
    assert access.key.scopes == [ORDERS_READ]
    assert access.key.created_by == User.objects.get(username="mia")
    assert "no-store" in page["Cache-Control"]
    later = desk.get(change_url(client)).content.decode()
    assert access.key.prefix in later
    assert text[0] not in later


def test_the_audit_log_has_who_made_and_revoked_it_and_no_key(desk: Client) -> None:
    client = api_client()
    make(desk, client)
    key = ApiKey.objects.get()

    answer = desk.post(
        reverse("admin:orders_apiclient_revoke_key", args=[client.pk, key.pk]), follow=True
    )

    assert "The key is revoked." in answer.content.decode()
    messages = list(LogEntry.objects.values_list("change_message", flat=True))
    assert len(messages) == 2
    assert all(key.prefix in message for message in messages)
    assert not any(re.search(PATTERN, message) for message in messages)


def test_revoking_asks_first_and_again_is_no_error(desk: Client) -> None:
    text = key_of()
    key = ApiKey.objects.get()
    url = reverse("admin:orders_apiclient_revoke_key", args=[key.client_id, key.pk])

    assert desk.get(url).status_code == 200
    assert find_access(text)
    desk.post(url)
    with pytest.raises(BadKeyError):
        find_access(text)
    assert "was revoked before" in desk.post(url, follow=True).content.decode()


def test_a_key_of_another_client_is_not_found_under_this_one(desk: Client) -> None:
    key = make_key(api_client("A"), scopes=[ORDERS_READ]).key
    other = api_client("B")

    url = reverse("admin:orders_apiclient_revoke_key", args=[other.pk, key.pk])

    assert desk.post(url).status_code == 404


def test_a_replacement_begins_with_the_scopes_of_the_newest_key(desk: Client) -> None:
    make_key(api_client(), scopes=[ORDERS_READ])

    page = desk.get(make_url(api_client())).content.decode()

    boxes = re.findall(r'<input[^>]*name="scopes"[^>]*>', page)
    chosen = [box for box in boxes if re.search(r"\schecked[\s>]", box)]
    assert len(boxes) == len(SCOPES)
    assert len(chosen) == 1
    assert f'value="{ORDERS_READ}"' in chosen[0]


def test_a_key_needs_a_scope_and_an_end_in_the_future(desk: Client) -> None:
    client = api_client()
    past = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    wrong: list[dict[str, Any]] = [
        {"scopes": []},
        {"scopes": ["orders:eat"]},
        {"expires_at": past},
    ]
    for fields in wrong:
        assert make(desk, client, **fields).status_code == 422
    assert not ApiKey.objects.exists()


def test_nobody_gives_a_scope_beyond_their_own_permissions(desk: Client) -> None:
    group = Group.objects.get(name="Manager")
    group.permissions.remove(*group.permissions.filter(codename="refund_order"))
    client = api_client()

    assert "orders:write" not in desk.get(make_url(client)).content.decode()
    assert make(desk, client, scopes=["orders:write"]).status_code == 422
    assert not ApiKey.objects.exists()


def test_a_renamed_client_keeps_its_user(desk: Client) -> None:
    client = api_client()
    api_client("Other")

    taken = open_page(desk, change_url(client)).send(name="Other")
    open_page(desk, change_url(client)).send(name="Hamburg")

    client.refresh_from_db()
    client.user.refresh_from_db()
    assert taken.status_code == 200
    assert (client.name, client.user.username) == ("Hamburg", "api:Hamburg")


def test_the_list_says_how_many_keys_work_and_finds_a_client_by_a_key(desk: Client) -> None:
    key_of("A")
    key_of("A", expires_at=timezone.now() - timedelta(days=1))
    text = key_of("B")
    key_of("B")

    page = desk.get(LIST)

    found = {row.name: row.usable for row in page.context["cl"].result_list}
    assert found == {"A": 1, "B": 2}
    result = desk.get(LIST, {"q": text[:12]}).context["cl"].result_list
    assert [row.name for row in result] == ["B"]


def test_a_client_is_switched_off_and_never_deleted(desk: Client) -> None:
    client = api_client()
    text = key_of()

    open_page(desk, change_url(client)).send(is_active=None)

    with pytest.raises(BadKeyError):
        find_access(text)
    url = reverse("admin:orders_apiclient_delete", args=[client.pk])
    assert desk.post(url, {"post": "yes"}).status_code == 403

"""Clients and keys: what is stored, what opens, and what a use writes."""

from datetime import timedelta

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.clients.keys import (
    BadKeyError,
    create_client,
    find_access,
    make_key,
    rename_user,
    revoke_key,
)
from orders.clients.scopes import ORDERS_READ, SCOPES, STOCK_READ, UnknownScopeError
from orders.clients.secret import new_secret
from orders.models import ApiClient, ApiKey
from tests.clients import api_client, key_of
from tests.database import this_database

pytestmark = pytest.mark.django_db


def test_the_shop_keeps_a_digest_and_never_the_key() -> None:
    text = key_of(scopes=[ORDERS_READ])

    key = ApiKey.objects.get()
    assert text.startswith(key.prefix)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM orders_apikey AS k")
        assert text[13:] not in cursor.fetchone()[0]


def test_a_client_acts_as_a_user_that_cannot_sign_in() -> None:
    client = create_client(name="Warehouse")

    assert client.user.username == "api:Warehouse"
    assert not client.user.is_active
    assert not client.user.has_usable_password()
    assert not client.user.is_staff


def test_a_renamed_client_is_named_so_in_timelines() -> None:
    client = create_client(name="Warehouse")
    client.name = "Hamburg"
    client.save()

    rename_user(client)

    client.user.refresh_from_db()
    assert client.user.username == "api:Hamburg"


def test_a_key_gives_access_to_its_scopes_only() -> None:
    access = find_access(key_of(scopes=[STOCK_READ]))

    assert access.client.name == "Warehouse"
    assert access.may(STOCK_READ)
    assert [scope for scope in SCOPES if access.may(scope)] == [STOCK_READ]


def test_several_keys_of_a_client_work_at_the_same_time() -> None:
    first, second = key_of(), key_of()

    assert find_access(first).client == find_access(second).client


def test_a_key_that_was_revoked_or_has_expired_opens_nothing() -> None:
    revoked, expired = key_of(), key_of(expires_at=timezone.now() - timedelta(seconds=1))
    revoke_key(find_access(revoked).key.pk)

    with pytest.raises(BadKeyError, match="revoked"):
        find_access(revoked)
    with pytest.raises(BadKeyError, match="expired"):
        find_access(expired)


def test_no_key_of_a_client_that_is_switched_off_works() -> None:
    text = key_of()
    ApiClient.objects.update(is_active=False)

    with pytest.raises(BadKeyError, match="switched off"):
        find_access(text)


def test_a_key_that_the_shop_does_not_know_is_refused_and_nonsense_without_a_query() -> None:
    with pytest.raises(BadKeyError, match="doesn't know"):
        find_access(new_secret().text)
    with CaptureQueriesContext(connection) as queries, pytest.raises(BadKeyError):
        find_access("tdm_nonsense")
    assert len(queries) == 0


def test_the_beginning_of_a_key_with_another_end_opens_nothing() -> None:
    """What the prefix finds is compared in full."""
    key = make_key(api_client(), scopes=[ORDERS_READ]).key
    other = new_secret()
    ApiKey.objects.filter(pk=key.pk).update(prefix=other.prefix)

    with pytest.raises(BadKeyError):
        find_access(other.text)


def test_a_key_is_revoked_once() -> None:
    key = make_key(api_client(), scopes=[ORDERS_READ]).key

    assert [revoke_key(key.pk), revoke_key(key.pk)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_a_use_is_written_once_a_minute() -> None:
    text = key_of()
    find_access(text)
    first = ApiKey.objects.get().last_used_at

    find_access(text)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    find_access(text)

    last = ApiKey.objects.get().last_used_at
    assert first is not None
    assert last is not None
    assert last > first


@pytest.mark.django_db(transaction=True)
def test_a_use_does_not_wait_for_a_key_that_somebody_has_locked() -> None:
    text = key_of()
    with psycopg.connect(this_database()) as session:
        session.execute("SELECT 1 FROM orders_apikey FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1ms'")  # a wait would be an error

        assert find_access(text).client.name == "Warehouse"

        session.rollback()
    assert ApiKey.objects.get().last_used_at is None


def test_unknown_scopes_are_refused_and_known_ones_sorted() -> None:
    with pytest.raises(UnknownScopeError, match="orders:eat"):
        make_key(api_client(), scopes=["orders:eat"])
    with pytest.raises(UnknownScopeError):
        make_key(api_client(), scopes=[])
    key = make_key(api_client(), scopes=[STOCK_READ, ORDERS_READ, STOCK_READ]).key
    assert key.scopes == [ORDERS_READ, STOCK_READ]


def test_the_database_refuses_what_no_client_and_no_key_can_be() -> None:
    client = create_client(name="Warehouse")
    for wrong in ({"requests_per_minute": 0}, {"requests_per_minute": 1_000_001}, {"name": ""}):
        with pytest.raises((IntegrityError, DataError)), transaction.atomic():
            ApiClient.objects.filter(pk=client.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(client=client, prefix="x", digest=b"x", scopes=[])
    with pytest.raises(IntegrityError), transaction.atomic():
        create_client(name="Warehouse")

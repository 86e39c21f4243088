"""`manage.py apikey`: the key alone on stdout, once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders.clients.keys import BadKeyError, find_access
from orders.models import ApiClient, ApiKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("apikey", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_create_prints_a_key_that_works() -> None:
    text = run("create", "Warehouse", "--scopes", "orders:read", "stock:write").strip()

    access = find_access(text)
    assert access.client.name == "Warehouse"
    assert access.key.scopes == ["orders:read", "stock:write"]
    assert access.key.expires_at is None


def test_scopes_may_be_written_with_commas_and_all_is_all() -> None:
    some = find_access(run("create", "A", "--scopes", "orders:read,jobs:read").strip())
    everything = find_access(run("create", "A", "--scopes", "all", "--days", "9").strip())

    assert some.key.scopes == ["orders:read", "jobs:read"]
    assert len(everything.key.scopes) == 8
    assert everything.key.expires_at is not None
    assert ApiClient.objects.count() == 1


def test_list_shows_no_key_and_revoke_ends_one() -> None:
    text = run("create", "Warehouse", "--scopes", "orders:read").strip()
    prefix = ApiKey.objects.get().prefix

    listed = run("list")

    assert prefix in listed
    assert text not in listed
    assert run("revoke", prefix) == "Revoked.\n"
    assert run("revoke", prefix) == "It was revoked before.\n"
    with pytest.raises(BadKeyError):
        find_access(text)


def test_list_names_the_end_of_a_key_and_a_limit_is_of_a_new_client() -> None:
    run("create", "Warehouse", "--scopes", "orders:read", "--days", "30")

    assert f"until {ApiKey.objects.get().expires_at:%Y-%m-%d}" in run("list")
    with pytest.raises(CommandError, match="on its page"):
        run("create", "Warehouse", "--scopes", "orders:read", "--limit", "7")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "A", "--scopes", "orders:eat"),
        ("create", " ", "--scopes", "orders:read"),
        ("create", "A", "--scopes", "orders:read", "--days", "0"),
        ("create", "A", "--scopes", "orders:read", "--limit", "0"),
        ("revoke", "tdm_unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert not ApiKey.objects.exists()

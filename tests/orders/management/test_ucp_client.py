"""`manage.py ucp_client`: what it makes may ask a person, and what it removed may not."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from orders.agents.linking.tokens import TokenError, client_of
from orders.models import AgentClient
from tests.agents.agent import PROFILE

pytestmark = pytest.mark.django_db
RETURN = "https://platform.test/linked"


@pytest.fixture(autouse=True)
def local(settings: Any) -> None:
    settings.TANDEM_LOCAL = True


def run(*args: str) -> str:
    out = StringIO()
    call_command("ucp_client", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def create(*args: str) -> dict[str, str]:
    told = run("create", "Assistant", "--platform", PROFILE, "--return", RETURN, *args)
    return dict(re.findall(r"(client_\w+)=(\S+)", told))


def test_the_secret_that_is_shown_once_opens_and_is_not_kept() -> None:
    made = create()

    client = client_of(made, "")
    assert (client.name, client.redirect_uris) == ("Assistant", [RETURN])
    assert made["client_secret"] not in client.secret_hash
    with pytest.raises(TokenError):
        client_of(made | {"client_secret": "x"}, "")
    assert made["client_secret"] not in run("list")
    assert made["client_id"] in run("list")


def test_a_public_client_has_no_secret() -> None:
    made = create("--public")

    assert made.keys() == {"client_id"}
    assert client_of(made, "").pk == AgentClient.objects.get().pk


def test_a_removed_client_asks_nobody_any_more() -> None:
    made = create()
    run("remove", made["client_id"])

    assert not AgentClient.objects.exists()
    with pytest.raises(CommandError, match="no such client"):
        run("remove", made["client_id"])


@pytest.mark.parametrize(
    ("uri", "is_taken"),
    [
        ("https://a.example/b", True),
        ("http://127.0.0.1/b", True),
        ("http://a.example/b", False),
        ("https://a.example/b#c", False),
        ("https://ada:x@a.example/b", False),
        ("app:/b", False),
        ("https://[", False),
    ],
)
def test_a_code_goes_to_safe_addresses_only(uri: str, is_taken: bool) -> None:
    args = ("create", "Assistant", "--platform", PROFILE, "--return", uri)
    if is_taken:
        assert "client_id=" in run(*args)
    else:
        with pytest.raises(CommandError, match="a return address is https"):
            run(*args)


def test_a_platform_without_a_profile_and_a_client_without_a_name_are_refused() -> None:
    with pytest.raises(CommandError, match="The profile can't be used"):
        run("create", "Assistant", "--platform", "http://a.example", "--return", RETURN)
    with pytest.raises(CommandError, match="The name has 1 to 100 characters"):
        run("create", " ", "--platform", PROFILE, "--return", RETURN)


def test_the_account_leads_to_its_assistants(client: Client, django_user_model: Any) -> None:
    ada = django_user_model.objects.create_user("ada", "ada@example.org")
    client.force_login(ada)

    page = client.get("/accounts/linked/").content.decode()

    assert 'href="/accounts/linked/"' in page
    assert 'aria-current="page">Assistants' in " ".join(page.split())

"""Who asks: the header, the platform's profile, its version and capabilities, its signature."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from orders.agents import platforms
from orders.agents.errors import ProtocolError
from orders.agents.guarded_fetch import Unreachable
from orders.agents.local_platforms import platform
from orders.agents.negotiation import active_among
from orders.agents.versions import CART, CHECKOUT, DISCOUNT, FULFILLMENT, VERSION
from orders.models import AgentPlatform
from tests.agents.agent import Agent, codes_of, lines
from tests.factories import add_product

pytestmark = pytest.mark.django_db

URL = "https://platform.example.com/profile"
SEARCH = "/ucp/v1/catalog/search"


def search(header: str | None) -> tuple[int, Any]:
    headers = {} if header is None else {"UCP-Agent": header}
    answer = Client().post(SEARCH, '{"query": "x"}', "application/json", headers=headers)
    return answer.status_code, answer.json()


def entries(*names: str) -> dict[str, list[dict[str, Any]]]:
    return {name: [{"version": VERSION}] for name in names}


@pytest.mark.parametrize(
    "header",
    [None, "", "profile", "profile=x", 'other="https://a.example"', 'profile="http://a.b"'],
)
def test_a_request_without_an_https_profile_is_refused(header: str | None) -> None:
    status, problem = search(header)

    assert (status, problem["code"]) == (400, "invalid_profile_url")


def test_a_fetched_profile_is_kept_and_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(platform()).encode()

    monkeypatch.setattr(platforms, "fetch", fetch)

    answers = [search(f'profile="{URL}"')[0] for _time in range(3)]

    assert answers == [200, 200, 200]
    assert asked == [URL]


def test_a_profile_that_cannot_be_read_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        raise Unreachable("timed out")

    monkeypatch.setattr(platforms, "fetch", fetch)

    answers = [search(f'profile="{URL}"') for _time in range(3)]

    assert {(status, problem["code"]) for status, problem in answers} == {
        (424, "profile_unreachable")
    }
    assert asked == [URL]


@pytest.mark.parametrize(
    "document",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"ucp": {"version": 1}}',
        b'{"ucp": {"version": "2026-04-08", "capabilities": []}}',
    ],
)
def test_what_is_no_profile_is_told(document: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "fetch", lambda _url: document)

    status, problem = search(f'profile="{URL}"')

    assert (status, problem["code"]) == (422, "profile_malformed")


def test_another_version_is_not_spoken(local: None) -> None:
    status, problem = search('profile="https://platform.test/old"')

    assert (status, problem["code"]) == (422, "version_unsupported")


def test_without_a_common_capability_there_is_an_outcome_and_no_resource(local: None) -> None:
    add_product("MUG")
    agent = Agent(profile="https://platform.test/other")

    status, answer = agent.send("POST", "/checkout-sessions", {"line_items": lines(("MUG", 1))})

    assert (status, answer["ucp"]["status"]) == (200, "error")
    assert codes_of(answer) == ["capabilities_incompatible"]
    assert "id" not in answer


def test_extensions_without_any_parent_are_left_out() -> None:
    assert active_among(entries(DISCOUNT, FULFILLMENT)) == frozenset()
    assert active_among(entries(DISCOUNT, FULFILLMENT, CART)) == {DISCOUNT, CART}
    assert active_among(entries(FULFILLMENT, CHECKOUT)) == {FULFILLMENT, CHECKOUT}
    assert active_among({CHECKOUT: [{"version": "2025-01-01"}]}) == frozenset()


def test_a_known_platform_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(_url: str) -> bytes:
        raise AssertionError("it is known")

    monkeypatch.setattr(platforms, "fetch", fetch)
    platforms.know(URL, platform(), contact_email="orders@example.com")

    assert search(f'profile="{URL}"')[0] == 200
    assert AgentPlatform.objects.get().contact_email == "orders@example.com"


@pytest.mark.parametrize("was_asked", [False, True])
def test_a_platform_that_becomes_known_while_it_is_fetched_stays_known(
    monkeypatch: pytest.MonkeyPatch, was_asked: bool
) -> None:
    if was_asked:
        AgentPlatform.objects.create(profile_url=URL)

    def fetch(url: str) -> bytes:
        platforms.know(url, platform())
        raise Unreachable("timed out")

    monkeypatch.setattr(platforms, "fetch", fetch)

    answers = [search(f'profile="{URL}"')[0] for _time in range(2)]

    assert answers == [424, 200]


@pytest.mark.parametrize(
    "url",
    ["http://platform.example.com/agent", "platform", "https://a:b@example.com/", "ftp://x/y"],
)
def test_a_platform_that_no_agent_may_name_is_not_made_known(
    tmp_path: Path, settings: Any, url: str
) -> None:
    settings.TANDEM_LOCAL = True
    (tmp_path / "profile.json").write_text(json.dumps(platform()))

    with pytest.raises(CommandError, match="The profile can't be used"):
        call_command("ucp_platform", url, str(tmp_path / "profile.json"))
    assert not AgentPlatform.objects.exists()


def test_a_local_run_may_know_a_platform_of_its_own_machine_by_http(
    tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "profile.json").write_text(json.dumps(platform()))
    known = ("ucp_platform", "http://127.0.0.1:9317/agent", str(tmp_path / "profile.json"))
    settings.TANDEM_LOCAL = True
    call_command(*known)
    settings.TANDEM_LOCAL = False

    with pytest.raises(CommandError, match="It must begin with https"):
        call_command(*known)


def test_platforms_of_a_local_run_are_nobodys_in_production(settings: Any) -> None:
    settings.TANDEM_LOCAL = False

    with pytest.raises(ProtocolError) as caught:
        platforms.platform_of("https://platform.test/agent")
    assert caught.value.status == 424

"""Linking an account with a platform: only what a person allowed, and only while it is allowed."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from orders.agents.linking.authorizing import hashed
from orders.agents.platforms import platform_of
from orders.agents.versions import READ_ORDERS
from orders.models import AgentClient, AgentLink, Order, User
from tests.agents.agent import PROFILE, Agent
from tests.factories import add_product, make_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local")]

RETURN = "https://platform.test/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", "ada@example.org")


@pytest.fixture(autouse=True)
def program(local: None, db: None) -> AgentClient:
    return AgentClient.objects.create(
        client_id="assistant",
        platform=platform_of(PROFILE),
        name="Assistant",
        redirect_uris=[RETURN, "http://127.0.0.1/done"],
    )


def asked(**changes: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": "assistant",
        "redirect_uri": RETURN,
        "scope": READ_ORDERS,
        "state": "s",
        "code_challenge": CHALLENGE.decode(),
        "code_challenge_method": "S256",
        **changes,
    }


def allowed(client: Client, **changes: str) -> dict[str, str]:
    """Return what the platform reads after the person has allowed it."""
    answer = client.post(
        "/accounts/link/", {"answer": "allow"}, QUERY_STRING=_query(asked(**changes))
    )
    return told(answer)


def _query(parameters: dict[str, str]) -> str:

    return urlencode(parameters)


def told(answer: Any) -> dict[str, str]:
    return {name: each[0] for name, each in parse_qs(urlsplit(answer["Location"]).query).items()}


def redeem(client: Client, code: str, **changes: str) -> Any:
    fields = {
        "grant_type": "authorization_code",
        "client_id": "assistant",
        "code": code,
        "redirect_uri": RETURN,
        "code_verifier": VERIFIER,
        **changes,
    }
    return client.post("/ucp/oauth/token", fields)


def test_a_person_is_asked_and_a_platform_reads_then_what_it_was_allowed(
    client: Client, ada: User
) -> None:
    order = make_order(add_product("MUG"), user=ada)
    other = make_order(add_product("TEA"))
    client.force_login(ada)
    page = client.get("/accounts/link/", asked())
    code = allowed(client)["code"]

    token = redeem(client, code).json()["access_token"]
    read = [
        Agent().send("GET", f"/orders/{each.pk}", Authorization=f"Bearer {token}")[1]
        for each in (order, other)
    ]

    assert b"Assistant" in page.content
    assert read[0]["id"] == str(order.pk)
    assert read[1]["messages"][0]["code"] == "not_found"
    assert token not in str(list(AgentLink.objects.values()))


def test_a_platform_reads_the_orders_that_the_person_finds_in_their_account(
    client: Client, ada: User
) -> None:
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True)
    EmailAddress.objects.create(user=ada, email="new@example.org", verified=False)
    product = add_product("MUG")
    as_guest, *others = (make_order(product) for _order in range(3))
    for order, email in ((as_guest, "Ada"), (others[0], "new"), (others[1], "bob")):
        Order.objects.filter(pk=order.pk).update(email=f"{email}@example.org")
    client.force_login(ada)
    token = redeem(client, allowed(client)["code"]).json()["access_token"]

    read = [
        Agent().send("GET", f"/orders/{each.pk}", Authorization=f"Bearer {token}")[1]
        for each in (as_guest, *others)
    ]

    shown = client.get("/accounts/").content.decode()
    assert [str(each.pk) in shown for each in (as_guest, *others)] == [True, False, False]
    assert read[0]["id"] == str(as_guest.pk)
    assert [each["messages"][0]["code"] for each in read[1:]] == ["not_found", "not_found"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://127.0.0.1:9317/done", "http://127.0.0.1:9317"),
        ("https://platform.test/callback", "https://platform.test"),
        ("https://platform.test:8443/callback", "https://platform.test:8443"),
        ("https://müller.test/callback", "https://xn--mller-kva.test"),
        ("http://[::1]:9317/done", "http:"),
    ],
)
def test_the_pages_policy_lets_its_form_lead_to_the_return_address_alone(
    client: Client, ada: User, program: AgentClient, address: str, origin: str
) -> None:
    program.redirect_uris = [address]
    program.save()
    client.force_login(ada)
    before = _form_actions(client.get("/accounts/linked/"))

    assert _form_actions(client.get("/accounts/link/", asked(redirect_uri=address))) == {
        *before,
        origin,
    }


def _form_actions(answer: Any) -> set[str]:
    directives = answer["Content-Security-Policy"].split(";")
    return {
        source
        for each in directives
        if each.strip().startswith("form-action ")
        for source in each.split()[1:]
    }


def test_who_comes_from_the_sign_in_is_asked_also_if_it_was_allowed(
    client: Client, ada: User
) -> None:
    door = client.get("/accounts/link/", asked())
    back = parse_qs(urlsplit(door["Location"]).query)["next"][0]
    client.force_login(ada)
    redeem(client, allowed(client)["code"])

    assert client.get("/accounts/link/", asked()).status_code == 302
    assert client.get(back).status_code == 200


def test_both_pages_name_account_platform_and_return_address(client: Client, ada: User) -> None:
    client.force_login(ada)
    asks = client.get("/accounts/link/", asked()).content.decode()
    redeem(client, allowed(client)["code"])
    lists = client.get("/accounts/linked/").content.decode()

    for named in ("ada@example.org", PROFILE, RETURN, "Assistant", "Read your orders"):
        assert named in asks
        assert named in lists


def test_nobody_is_asked_who_is_not_signed_in(client: Client) -> None:
    answer = client.get("/accounts/link/", asked())

    assert answer["Location"].startswith("/accounts/login/?next=/accounts/link/")


def test_whoever_does_not_allow_it_gives_no_code(client: Client, ada: User) -> None:
    client.force_login(ada)
    answer = client.post("/accounts/link/", {"answer": "deny"}, QUERY_STRING=_query(asked()))

    assert told(answer)["error"] == "access_denied"
    assert not AgentLink.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": "assistant\x00"},
        {"redirect_uri": "https://evil.example/callback"},
    ],
)
def test_an_unknown_platform_is_sent_nothing(
    client: Client, ada: User, changes: dict[str, str]
) -> None:
    client.force_login(ada)
    answer = client.get("/accounts/link/", asked(**changes))

    assert answer.status_code == 400
    assert "Location" not in answer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_is_told_to_the_platform(
    client: Client, changes: dict[str, str], error: str
) -> None:
    answer = told(client.get("/accounts/link/", asked(**changes)))

    assert (answer["error"], answer["iss"]) == (error, "http://localhost:8000")


def test_the_state_comes_back_as_it_was_whatever_its_length(client: Client, ada: User) -> None:
    client.force_login(ada)
    state = "s" * 1500

    assert allowed(client, state=state)["state"] == state
    assert told(client.get("/accounts/link/", asked(state=state, scope="x")))["state"] == state


@pytest.mark.parametrize("path", ["/ucp/oauth/token", "/ucp/oauth/revoke"])
def test_a_client_that_no_row_can_have_is_unknown(client: Client, path: str) -> None:
    answer = client.post(path, {"client_id": "assistant\x00", "grant_type": "refresh_token"})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 50},
        {"code_verifier": ""},
        {"redirect_uri": RETURN + "/"},
        {"code": "another"},
    ],
)
def test_a_code_counts_only_with_all_that_it_was_asked_with(
    client: Client, ada: User, changes: dict[str, str]
) -> None:
    client.force_login(ada)
    code = allowed(client)["code"]

    answer = redeem(client, **{"code": code, **changes})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def refreshed(client: Client, token: str) -> Any:
    fields = {"grant_type": "refresh_token", "client_id": "assistant", "refresh_token": token}
    return client.post("/ucp/oauth/token", fields)


def test_a_code_that_comes_again_ends_the_tokens_that_came_from_it(
    client: Client, ada: User
) -> None:
    client.force_login(ada)
    code = allowed(client)["code"]
    tokens = redeem(client, code).json()
    newer = refreshed(client, tokens["refresh_token"]).json()

    again = redeem(client, code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not tokens_work(newer)
    assert refreshed(client, newer["refresh_token"]).status_code == 400


def test_a_code_of_another_client_ends_nothing(client: Client, ada: User) -> None:
    client.force_login(ada)
    code = allowed(client)["code"]
    tokens = redeem(client, code).json()
    AgentClient.objects.create(
        client_id="other", platform=platform_of(PROFILE), name="Other", redirect_uris=[RETURN]
    )

    again = redeem(client, code, client_id="other")

    assert again.status_code == 400
    assert tokens_work(tokens)


def test_a_refresh_token_that_comes_again_ends_the_newer_ones(client: Client, ada: User) -> None:
    client.force_login(ada)
    first = redeem(client, allowed(client)["code"]).json()
    second = refreshed(client, first["refresh_token"]).json()
    third = refreshed(client, second["refresh_token"]).json()
    assert tokens_work(third)

    again = refreshed(client, first["refresh_token"])

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not tokens_work(third)
    assert refreshed(client, third["refresh_token"]).status_code == 400


def test_a_token_that_nobody_gave_ends_nothing(client: Client, ada: User) -> None:
    client.force_login(ada)
    tokens = redeem(client, allowed(client)["code"]).json()

    assert refreshed(client, "").status_code == 400
    assert redeem(client, "").status_code == 400
    assert tokens_work(tokens)


def tokens_work(tokens: dict[str, str]) -> bool:
    path, bearer = "/orders/01900000-0000-7000-8000-000000000000", tokens["access_token"]
    status, _answer = Agent().send("GET", path, Authorization=f"Bearer {bearer}")
    return status != 401


def test_a_code_and_a_refresh_token_count_once(client: Client, ada: User) -> None:
    client.force_login(ada)
    code = allowed(client)["code"]
    tokens = redeem(client, code).json()
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "assistant",
        "refresh_token": tokens["refresh_token"],
    }

    answers = [client.post("/ucp/oauth/token", refresh) for _time in range(2)]
    answers += [redeem(client, code)]

    assert [answer.status_code for answer in answers] == [200, 400, 400]


def test_the_person_ends_it_and_so_does_the_platform(client: Client, ada: User) -> None:
    order = make_order(add_product("MUG"), user=ada)
    client.force_login(ada)
    first = redeem(client, allowed(client)["code"]).json()
    client.post("/accounts/linked/", {"client": "assistant"})
    second = redeem(client, allowed(client)["code"]).json()
    client.post("/ucp/oauth/revoke", {"client_id": "assistant", "token": second["refresh_token"]})

    statuses = [
        Agent().send(
            "GET", f"/orders/{order.pk}", Authorization=f"Bearer {tokens['access_token']}"
        )[0]
        for tokens in (first, second)
    ]

    assert statuses == [401, 401]


def test_a_code_that_waits_ends_with_the_link(client: Client, ada: User) -> None:
    client.force_login(ada)
    waits = allowed(client)["code"]

    client.post("/accounts/linked/", {"client": "assistant"})

    assert redeem(client, waits).json()["error"] == "invalid_grant"


def test_a_token_is_its_platforms_alone(client: Client, ada: User) -> None:
    order = make_order(add_product("MUG"), user=ada)
    client.force_login(ada)
    token = redeem(client, allowed(client)["code"]).json()["access_token"]
    other = Agent(profile="https://platform.test/signing")

    answer = other.answer("GET", f"/orders/{order.pk}", Authorization=f"Bearer {token}")

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_a_confidential_client_needs_its_secret(client: Client, ada: User) -> None:
    AgentClient.objects.update(secret_hash=hashed("s3cret"))
    client.force_login(ada)
    code = allowed(client)["code"]

    wrong = redeem(client, code, client_secret="another")
    right = redeem(client, code, client_secret="s3cret")

    assert (wrong.status_code, right.status_code) == (401, 200)


def test_a_loopback_address_may_have_any_port(client: Client, ada: User) -> None:
    client.force_login(ada)
    code = allowed(client, redirect_uri="http://127.0.0.1:7711/done")["code"]

    assert redeem(client, code, redirect_uri="http://127.0.0.1:7929/done").status_code == 200

"""The REST binding's answers to addresses and methods that it doesn't have."""

import pytest
from django.test import Client

from orders.agents.signing import verify
from tests.agents.agent import Agent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/nope", "/", "/carts/", "/checkout-sessions/1/nope", "/a/b/c"])
def test_an_address_that_there_is_not_is_answered_with_an_error(method: str, path: str) -> None:
    answer = Agent().answer(method, path, **{"Request-Id": "mine"})

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"code": "not_found", "content": "There is no such address."}
    assert answer["Request-Id"] == "mine"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/carts", {}, 400),
        ("POST", "/carts", {"UCP-Agent": "nobody"}, 400),
        ("POST", "/carts", {"Signature": "sig1=:AA==:"}, 401),
        ("POST", "/carts", {"Content-Type": "text/plain"}, 415),
        ("DELETE", "/carts/1", {}, 405),
        ("GET", "/nope", {}, 404),
    ],
)
def test_a_refusal_is_signed_like_any_answer(
    local: None, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = Agent().answer(method, path, {"line_items": 1}, **headers)

    assert answer.status_code == status
    verify(
        headers={name.lower(): value for name, value in answer.items()},
        derived={"@status": str(status)},
        body=answer.content,
        keys=Client().get("/.well-known/ucp").json()["signing_keys"],
        needed=["@status", "content-digest", "content-type"],
    )


def test_what_the_catalogue_refuses_is_not_signed(local: None) -> None:
    answer = Agent().answer("POST", "/catalog/search", {"query": 1})

    assert (answer.status_code, "Signature" in answer) == (400, False)


def test_another_method_is_told_which_ones_there_are() -> None:
    answer = Agent().answer("DELETE", "/carts/1")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, PUT")

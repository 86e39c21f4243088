"""The REST binding's answers to addresses and methods that it doesn't have."""

import pytest

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


def test_another_method_is_told_which_ones_there_are() -> None:
    answer = Agent().answer("DELETE", "/carts/1")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, PUT")

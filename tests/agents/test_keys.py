"""Idempotency keys of agents, and the table of docs/agents.md that says where doors differ."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.functions import Now

from orders.agents import carts, keys
from orders.models import AgentAnswer, AgentCart, AgentCheckout
from tests.agents.agent import Agent, lines
from tests.factories import add_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("local")]

KEY = "a key of this test"
PATH = "/checkout-sessions"


@pytest.fixture(autouse=True)
def mug(db: None) -> None:
    add_product("MUG")


def test_a_repeat_gets_the_first_answer_with_its_status() -> None:
    body = {"line_items": lines(("MUG", 1))}

    first, again = (Agent().send("POST", PATH, body, key=KEY) for _time in range(2))

    assert first == again
    assert first[0] == 201
    assert AgentCheckout.objects.count() == 1


def test_a_repeat_is_known_also_after_the_shops_key_was_rotated(settings: Any) -> None:
    body = {"line_items": lines(("MUG", 1))}
    first = Agent().send("POST", PATH, body, key=KEY)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one, which is as long as it has to be for this shop"

    again = Agent().send("POST", PATH, body, key=KEY)
    other = Agent().send("POST", PATH, {"line_items": lines(("MUG", 2))}, key=KEY)

    assert again == first
    assert other[1]["code"] == "idempotency_conflict"
    assert AgentCheckout.objects.count() == 1


def test_another_request_under_the_same_key_is_refused() -> None:
    agent = Agent()
    agent.send("POST", PATH, {"line_items": lines(("MUG", 1))}, key=KEY)

    status, problem = agent.send("POST", PATH, {"line_items": lines(("MUG", 2))}, key=KEY)

    assert (status, problem["code"]) == (409, "idempotency_conflict")
    assert AgentCheckout.objects.count() == 1


def test_the_same_key_of_another_platform_is_another_key() -> None:
    body = {"line_items": lines(("MUG", 1))}
    answers = [
        Agent(profile=f"https://platform.test/{name}").send("POST", PATH, body, key=KEY)
        for name in ("agent", "signing")
    ]

    assert [status for status, _body in answers] == [201, 201]
    assert answers[0][1]["id"] != answers[1][1]["id"]


def test_an_operation_that_was_cut_off_is_done_by_its_repeat_and_makes_nothing_twice() -> None:
    body = {"line_items": lines(("MUG", 1))}
    agent = Agent()
    _status, made = agent.send("POST", PATH, body, key=KEY)
    AgentAnswer.objects.update(status=None, body={})  # as kill -9 before the answer leaves it

    _status, again = agent.send("POST", PATH, body, key=KEY)

    assert again["id"] == made["id"]
    assert AgentCheckout.objects.count() == 1


@pytest.mark.parametrize("path", ["/carts", PATH])
def test_a_cancellation_that_was_cut_off_is_told_to_its_repeat_and_to_nobody_else(
    path: str,
) -> None:
    agent = Agent()
    _status, made = agent.send("POST", path, {"line_items": lines(("MUG", 1))})
    cancel = f"{path}/{made['id']}/cancel"
    first = agent.send("POST", cancel, key=KEY)
    AgentAnswer.objects.filter(body=first[1]).update(status=None, body={})  # as kill -9 leaves it

    again = agent.send("POST", cancel, key=KEY)
    other = agent.send("POST", cancel)

    assert again == first
    assert first[1]["ucp"]["status"] == "success"
    assert other[1]["ucp"]["status"] == "error"


def test_a_cart_that_is_cancelled_while_it_is_changed_is_not_said_to_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent, read = Agent(), carts.read_basket
    _status, cart = agent.send("POST", "/carts", {"line_items": lines(("MUG", 1))})

    def slowly(wanted: Any) -> Any:
        AgentCart.objects.update(canceled_at=Now())
        return read(wanted)

    monkeypatch.setattr(carts, "read_basket", slowly)
    body = {"line_items": lines(("MUG", 2))}
    _status, changed = agent.send("PUT", f"/carts/{cart['id']}", body)

    assert changed["messages"][0]["code"] == "not_found"


def test_without_the_table_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise DatabaseError("no space left")

    monkeypatch.setattr(keys.AgentAnswer.objects, "get_or_create", fail)

    status, problem = Agent().send("POST", PATH, {"line_items": lines(("MUG", 1))}, key=KEY)

    assert (status, problem["code"]) == (503, "busy")
    assert not AgentCheckout.objects.exists()

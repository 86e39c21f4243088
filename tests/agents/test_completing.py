"""A session has one end: what is told of it is never an end that its order has not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from orders.agents import completing
from orders.models import AgentCheckout, Order
from tests.agents.agent import Agent, lines
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]

Ask = Callable[[Agent, dict[str, Any]], tuple[int, Any]]


class Died(Exception):
    """The process ended."""


def cancel(agent: Agent, checkout: dict[str, Any]) -> tuple[int, Any]:
    return agent.send("POST", f"/checkout-sessions/{checkout['id']}/cancel")


def want_three(agent: Agent, checkout: dict[str, Any]) -> tuple[int, Any]:
    path = f"/checkout-sessions/{checkout['id']}"
    return agent.send("PUT", path, {"line_items": lines(("MUG", 3))})


def read(agent: Agent, checkout: dict[str, Any]) -> tuple[int, Any]:
    return agent.send("GET", f"/checkout-sessions/{checkout['id']}")


@pytest.fixture(autouse=True)
def mug(db: None) -> None:
    add_product("MUG", stock=9, price="9.90")


def cut_off(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a checkout whose process died right after its order was placed, some time ago."""
    checkout = agent.checkout(("MUG", 1))
    place = completing.place_order

    def dying(request: Any) -> None:
        place(request)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(completing, "place_order", dying)
        with pytest.raises(Died):
            agent.complete(checkout)
    AgentCheckout.objects.update(changed_at=Now() - timedelta(minutes=5))
    return checkout


def placed_by_person(agent: Agent) -> dict[str, Any]:
    """Return a checkout that a person has ordered on the shop's page."""
    checkout, person = agent.checkout(("MUG", 1)), Client()
    page = person.get(f"/checkout/agent/{checkout['id']}/", follow=True)
    form = {
        "key": page.context["key"],
        "line": [line.text for line in page.context["cart"].lines],
        "expected_total": str(page.context["total"]),
        "email": "ada@example.org",
        "name": "Ada",
        "handover": "pickup",
        "counted_delivery": "",
    }
    person.post("/checkout/", form)
    return checkout


@pytest.mark.parametrize("ask", [cancel, want_three])
def test_what_was_cut_off_after_its_order_is_neither_cancelled_nor_changed(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Agent()
    checkout = cut_off(agent, monkeypatch)

    status, _answer = ask(agent, checkout)

    assert status == 409
    assert read(agent, checkout)[1]["order"]["id"] == str(Order.objects.get().pk)


@pytest.mark.parametrize("ask", [cancel, want_three])
def test_what_a_person_has_ordered_is_neither_cancelled_nor_changed(ask: Ask) -> None:
    agent = Agent()
    checkout = placed_by_person(agent)

    status, _answer = ask(agent, checkout)

    assert status == 409
    assert read(agent, checkout)[1]["order"]["id"] == str(Order.objects.get().pk)


def test_an_order_of_a_person_is_found_also_after_the_sessions_time() -> None:
    agent = Agent()
    checkout = placed_by_person(agent)
    AgentCheckout.objects.update(expires_at=Now() - timedelta(minutes=1))

    assert read(agent, checkout)[1]["status"] == "completed"


def complete_while(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> tuple[tuple[int, Any], tuple[int, Any]]:
    """Return the answers of a completion, and of what is asked after it has read the session."""
    agent, reckon = Agent(), completing.state_of
    checkout = agent.checkout(("MUG", 1))
    between: list[tuple[int, Any]] = []

    def slowly(*arguments: Any) -> Any:
        monkeypatch.setattr(completing, "state_of", reckon)
        state = reckon(*arguments)
        between.append(ask(agent, checkout))
        return state

    monkeypatch.setattr(completing, "state_of", slowly)
    completed = agent.complete(checkout)
    return completed, between[0]


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a completion write its session whatever came between."""

    def keep(checkout: AgentCheckout, **_before: Any) -> None:
        checkout.save()

    monkeypatch.setattr(completing, "_keep", keep)


def test_what_is_cancelled_while_it_is_completed_is_not_placed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    completed, canceled = complete_while(cancel, monkeypatch)

    assert (canceled[1]["status"], completed[0]) == ("canceled", 409)
    assert not Order.objects.exists()


@pytest.mark.usefixtures("unguarded")
def test_without_the_guard_it_is_placed_after_it_was_said_to_be_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _completed, canceled = complete_while(cancel, monkeypatch)

    assert canceled[1]["status"] == "canceled"
    assert Order.objects.exists()


def test_what_is_changed_while_it_is_completed_is_placed_as_its_answer_showed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    completed, changed = complete_while(want_three, monkeypatch)

    assert changed[1]["line_items"][0]["quantity"] == 3
    assert completed[1]["line_items"][0]["quantity"] == 3
    assert Order.objects.get().lines.get().quantity == 3


@pytest.mark.usefixtures("unguarded")
def test_without_the_guard_what_was_shown_before_is_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    _completed, changed = complete_while(want_three, monkeypatch)

    assert changed[1]["line_items"][0]["quantity"] == 3
    assert Order.objects.get().lines.get().quantity == 1


def test_two_completions_at_once_are_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    completed, other = complete_while(lambda agent, each: agent.complete(each), monkeypatch)

    assert (completed[0], other[0]) == (200, 200)
    assert completed[1]["order"] == other[1]["order"]
    assert Order.objects.count() == 1


def test_a_session_that_never_holds_still_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_arguments: Any, **_options: Any) -> None:
        raise completing._Overtaken

    monkeypatch.setattr(completing, "_keep", overtaken)
    agent = Agent()

    status, problem = agent.complete(agent.checkout(("MUG", 1)))

    assert (status, problem["code"]) == (503, "busy")
    assert not Order.objects.exists()


def test_a_cart_whose_completion_was_cut_off_long_ago_leads_to_its_session() -> None:
    agent = Agent()
    _status, cart = agent.send("POST", "/carts", {"line_items": lines(("MUG", 1))})
    body = {"cart_id": cart["id"], "line_items": []}
    _status, made = agent.send("POST", "/checkout-sessions", body)
    AgentCheckout.objects.update(
        stage=AgentCheckout.Stage.COMPLETING,
        changed_at=Now() - timedelta(hours=7),
        expires_at=Now() - timedelta(hours=1),
    )

    status, again = agent.send("POST", "/checkout-sessions", body)

    assert (status, again["id"], again["status"]) == (200, made["id"], "complete_in_progress")

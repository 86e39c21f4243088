"""How an agent pays: by a handler that the checkout offers, with an instrument that it takes."""

from typing import Any

import pytest

from orders.models import Order
from tests.agents.agent import Agent, codes_of
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]


def instrument(handler: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "1", "handler_id": handler, "type": kind, **more}


def complete(*instruments: dict[str, Any]) -> dict[str, Any]:
    add_product("MUG")
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))
    return dict(agent.complete(checkout, {"payment": {"instruments": instruments}})[1])


@pytest.mark.parametrize(
    ("handler", "kind", "field"),
    [
        ("transfer", "card", "type"),
        ("transfer", "", "type"),
        ("mock_payment_handler", "invoice", "type"),
        ("no-such", "invoice", "handler_id"),
    ],
)
def test_an_instrument_that_no_handler_takes_places_nothing(
    handler: str, kind: str, field: str
) -> None:
    answer = complete(instrument(handler, kind))

    assert answer["messages"][-1]["path"] == f"$.payment.instruments[0].{field}"
    assert not Order.objects.exists()


def test_the_path_names_the_instrument_that_is_selected() -> None:
    answer = complete(
        instrument("transfer", "invoice"), instrument("transfer", "card", selected=True)
    )

    assert codes_of(answer)[-1] == "payment_instrument_unknown"
    assert answer["messages"][-1]["path"] == "$.payment.instruments[1].type"


TRANSFER, PICKUP = ("transfer", "invoice"), ("pickup", "at_pickup")


@pytest.mark.parametrize(
    "instruments",
    [
        [instrument(*TRANSFER, selected=False)],
        [instrument(*TRANSFER, selected=False), instrument(*PICKUP, selected=False)],
        [instrument(*TRANSFER, selected=True), instrument(*PICKUP, selected=True)],
        [instrument(*TRANSFER), instrument(*PICKUP)],
        [instrument(*TRANSFER, selected=None), instrument(*PICKUP, selected=False)],
    ],
)
def test_nothing_is_placed_unless_exactly_one_instrument_is_chosen(
    instruments: list[dict[str, Any]],
) -> None:
    answer = complete(*instruments)

    assert codes_of(answer)[-1] == "payment_required"
    assert "exactly one" in answer["messages"][-1]["content"]
    assert answer["status"] == "ready_for_complete"
    assert not Order.objects.exists()


def test_a_choice_among_several_counts() -> None:
    answer = complete(instrument(*TRANSFER, selected=False), instrument(*PICKUP, selected=True))

    assert answer["status"] == "completed"
    assert Order.objects.get().payment_method == "pickup"


@pytest.mark.parametrize("selected", ["yes", "true", 1, 0])
def test_a_choice_that_is_no_true_or_false_is_refused(selected: Any) -> None:
    answer = complete(instrument(*TRANSFER, selected=selected))

    assert answer["code"] == "invalid_request"
    assert answer["messages"][0]["path"] == "$.payment.instruments[0].selected"
    assert not Order.objects.exists()


@pytest.mark.parametrize("handler", ["transfer", ""])
def test_an_invoice_places_the_order_unpaid(handler: str) -> None:
    answer = complete(instrument(handler, "invoice"))

    assert answer["status"] == "completed"
    assert Order.objects.get().payment_method == "transfer"

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


@pytest.mark.parametrize("handler", ["transfer", ""])
def test_an_invoice_places_the_order_unpaid(handler: str) -> None:
    answer = complete(instrument(handler, "invoice"))

    assert answer["status"] == "completed"
    assert Order.objects.get().payment_method == "transfer"

"""Orders that a client places with its key: limited as the client, not as one network address."""

from typing import Any

import pytest

from project.limits.rates import Rate
from tests.clients import Caller, key_of
from tests.factories import add_product
from tests.orders.api.bodies import order

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def place(caller: Caller, email: str) -> Any:
    body = order(("MUG", 1), email=email)
    return caller.post("orders", body)


def test_an_app_orders_for_many_shoppers_from_one_address(settings: Any) -> None:
    settings.ORDER_LIMITS = {"address": Rate(1, 3600), "email": Rate(1, 3600)}
    add_product("MUG", stock=10)
    app, nobody = Caller(key_of(scopes=["orders:write"])), Caller("")

    placed = [place(app, f"{name}@example.org").status_code for name in ("ada", "grace", "mary")]
    again = place(app, "ada@example.org")
    without = [place(nobody, f"{name}@example.net").status_code for name in ("ada", "grace")]

    assert placed == [201, 201, 201]
    assert (again.status_code, again.json()["limit"]) == (429, "email")
    assert without == [201, 429]

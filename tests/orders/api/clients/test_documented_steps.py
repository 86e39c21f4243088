"""The examples of docs/api.md: the order that it places takes the steps that it shows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orders.models import Order
from tests.clients import Caller, key_of
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]
PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text()


def documented_order() -> dict[str, Any]:
    [body] = re.findall(r"""api/v1/orders \\\n.*?-d '(\{.*?\})'\n""", PAGE, re.DOTALL)
    return dict(json.loads(body))


def documented_steps() -> list[tuple[str, Any]]:
    shown = re.findall(r"^step (\w+) '(.*?)'", PAGE, re.MULTILINE)
    return [(name, json.loads(body) if body else None) for name, body in shown]


def test_the_documented_order_takes_the_documented_steps() -> None:
    add_product("KIT-MUG-BLUE", stock=9, price="18.50")
    caller = Caller(key_of())
    placed = [caller.post("orders", documented_order()) for _order in range(2)]
    first, other = (answer.json()["number"] for answer in placed)

    taken = [
        (name, caller.post(f"orders/{other if name == 'cancel' else first}/{name}", body))
        for name, body in documented_steps()
    ]

    assert [name for name, _answer in taken] == ["pay", "pack", "ship", "cancel", "refund"]
    assert {answer.status_code for _name, answer in taken} == {200}
    assert Order.objects.get(number=first[1:]).status == Order.Status.SHIPPED

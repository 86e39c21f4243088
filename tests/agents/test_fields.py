"""What a request with a wrong field is told: the field, and plain words."""

from typing import Any

import pytest

from orders.agents.errors import InvalidInput
from orders.agents.schemas.buying import CheckoutIn, CompletionIn
from orders.agents.schemas.catalog import LookupIn, SearchIn
from orders.agents.schemas.fields import Sent, read

LINE = {"item": {"id": "MUG"}, "quantity": 1}
OURS = ("Input", "instance", "Value error", "dictionary", "In'", "pydantic", "valid ")


@pytest.mark.parametrize(
    ("model", "payload", "path", "reason"),
    [
        (CheckoutIn, "x", "$", "Send an object."),
        (CheckoutIn, {}, "$.line_items", "It is required."),
        (CheckoutIn, {"line_items": "x"}, "$.line_items", "Send a list."),
        (CheckoutIn, {"line_items": ["x"]}, "$.line_items[0]", "Send an object."),
        (CheckoutIn, {"line_items": [{**LINE, "item": "MUG"}]}, "$.line_items[0].item", "object"),
        (CheckoutIn, {"line_items": [{**LINE, "item": {}}]}, "$.line_items[0].item.id", "required"),
        (
            CheckoutIn,
            {"line_items": [{**LINE, "quantity": "1"}]},
            "$.line_items[0].quantity",
            "a w",
        ),
        (CheckoutIn, {"line_items": [{**LINE, "quantity": 0}]}, "$.line_items[0].quantity", " 1."),
        (CheckoutIn, {"line_items": [], "buyer": []}, "$.buyer", "Send an object."),
        (
            CheckoutIn,
            {"line_items": [], "buyer": {"first_name": 1}},
            "$.buyer.first_name",
            "Send a text.",
        ),
        (
            CheckoutIn,
            {"line_items": [], "buyer": {"first_name": "x" * 101}},
            "$.buyer.first_name",
            "Use at most 100",
        ),
        (
            CheckoutIn,
            {"line_items": [], "fulfillment": {"methods": [{"type": "drone"}]}},
            "$.fulfillment.methods[0].type",
            "Send one of these: 'shipping' or 'pickup'.",
        ),
        (
            CheckoutIn,
            {"line_items": [], "discounts": {"codes": ["x"] * 11}},
            "$.discounts.codes",
            "Send at most 10.",
        ),
        (
            CompletionIn,
            {"payment": {"instruments": [{"selected": 7}]}},
            "$.payment.instruments[0].selected",
            "Send true or false.",
        ),
        (LookupIn, {"ids": []}, "$.ids", "Send at least 1."),
        (SearchIn, {"cursor": "x" * 501}, "$.cursor", "Use at most 500 characters."),
    ],
)
def test_a_wrong_field_is_named_in_plain_words(
    model: type[Sent], payload: Any, path: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(model, payload)

    message = caught.value.body["messages"][0]
    assert message["path"] == path
    assert reason in message["content"]
    assert not [word for word in OURS if word in caught.value.content]
    assert caught.value.content.startswith("" if path == "$" else f"{path}: ")

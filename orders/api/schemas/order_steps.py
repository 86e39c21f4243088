"""What the steps of an order take."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from orders.api.schemas.clients import Sku
from orders.api.schemas.fields import Input, Price, text
from orders.placing.request import MAX_LINES, MAX_QUANTITY

Reason = Annotated[str, text(max_length=200), Field(json_schema_extra={"maxLength": 200})]
MaybeReason = Annotated[
    str, text(max_length=200, required=False), Field(json_schema_extra={"maxLength": 200})
]
Hundred = Annotated[str, text(max_length=100), Field(json_schema_extra={"maxLength": 100})]


class PayIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"method": "transfer", "reference": "TX-2026-0815", "amount": "24.70"}]
        }
    )

    method: Literal["transfer", "card", "cash", "other"]
    reference: Annotated[
        Hundred, Field(description="Identifies the payment: the same one is entered once.")
    ]
    amount: Annotated[Price, Field(description="What is due, or a part of it.")]


class ShipIn(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"carrier": "DHL", "tracking_number": "00340434161094"}]}
    )

    carrier: Hundred
    tracking_number: Annotated[
        str, text(max_length=100, required=False), Field(json_schema_extra={"maxLength": 100})
    ] = ""


class CancelIn(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "The last one broke in the store."}]}
    )

    reason: Annotated[Reason, Field(description="The customer reads it.")]


class RefundLineIn(Input):
    sku: Sku
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]


class RefundIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "lines": [{"sku": "MUG-01", "quantity": 1}],
                    "restock": True,
                    "reason": "It came broken.",
                }
            ]
        }
    )

    lines: Annotated[
        list[RefundLineIn] | None,
        Field(
            min_length=1,
            max_length=MAX_LINES,
            description="The units; left out or null: all that are left, and the delivery.",
        ),
    ] = None
    restock: Annotated[StrictBool, Field(description="Whether the goods are back on the shelf.")]
    reason: Annotated[MaybeReason, Field(description="The customer reads it.")] = ""

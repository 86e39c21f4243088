"""Stock for API clients: levels, movements, and the requests that move it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from orders.api.schemas.clients import Next, Pages, Sku
from orders.api.schemas.fields import Input, text
from orders.models import StockMovement

MAX_UNITS = 1_000_000
MaybeSku = Annotated[
    str, text(max_length=40, required=False), Field(json_schema_extra={"maxLength": 40})
]
Reason = Annotated[
    str,
    text(max_length=200),
    Field(description="Stays in the ledger for good.", json_schema_extra={"maxLength": 200}),
]


class StockFilters(Pages):
    sku: Annotated[MaybeSku, Field(description="Only this one.")] = ""
    low: Annotated[
        bool, Field(description="Only what is low, by its own or the shop's number.")
    ] = False


class LevelOut(BaseModel):
    sku: str
    name: str
    available: Annotated[int, Field(description="Units that can be ordered.")]
    held: Annotated[int, Field(description="Units set aside for shoppers at the checkout.")]
    on_hand: Annotated[int, Field(description="Both together: what lies on the shelf to be sold.")]
    last_movement: Annotated[
        int, Field(description="Send it with a count: it tells what the count knew of.")
    ]
    shelf: str
    is_low: bool


class StockPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "sku": "MUG-01",
                            "name": "Mug",
                            "available": 40,
                            "held": 2,
                            "on_hand": 42,
                            "last_movement": 4711,
                            "shelf": "A-12",
                            "is_low": False,
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    items: list[LevelOut]
    next: Next


class MovementFilters(Pages):
    sku: Annotated[MaybeSku, Field(description="Only of this product.")] = ""
    kind: Literal["order", "cancel", "refund", "correction", "receipt", "count"] | None = None


class MovementOut(BaseModel):
    id: int
    sku: str
    kind: Annotated[str, Field(json_schema_extra={"enum": StockMovement.Kind.values})]
    quantity: Annotated[int, Field(description="Units that came (above zero) or went.")]
    reason: Annotated[str, Field(description="Of an order's movement only with `customers:read`.")]
    order: Annotated[str | None, Field(description="The order's number.")]
    created_at: datetime


class MovementPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": 4712,
                            "sku": "MUG-01",
                            "kind": "count",
                            "quantity": -1,
                            "reason": "Shelf 12 counted",
                            "order": None,
                            "created_at": "2026-05-04T09:12:41.123Z",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    items: list[MovementOut]
    """The newest first."""
    next: Next


class MovementIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"sku": "MUG-01", "kind": "receipt", "quantity": 12, "reason": "Delivery note 4711"}
            ]
        }
    )

    sku: Sku
    kind: Annotated[
        Literal["receipt", "correction"],
        Field(description="A receipt adds; a correction adds or takes."),
    ]
    quantity: Annotated[
        StrictInt, Field(ge=-MAX_UNITS, le=MAX_UNITS, description="Units; not zero.")
    ]
    reason: Reason


class CountIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sku": "MUG-01", "counted": 41, "reason": "Shelf 12 counted"}]
        }
    )

    sku: Sku
    counted: Annotated[StrictInt, Field(ge=0, le=MAX_UNITS, description="Units that are there.")]
    reason: Reason
    on_hand: Annotated[
        StrictInt | None,
        Field(
            ge=0,
            le=2_000_000_000,
            description="As the levels had it when the counting began, together with"
            " `last_movement`: what was ordered since stays ordered. Left out: as it is now.",
        ),
    ] = None
    last_movement: Annotated[StrictInt | None, Field(ge=0, le=9_000_000_000_000_000_000)] = None


class MovedOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sku": "MUG-01",
                    "quantity": -1,
                    "available": 39,
                    "held": 2,
                    "on_hand": 41,
                    "last_movement": 4712,
                }
            ]
        }
    )

    sku: str
    quantity: Annotated[int, Field(description="Units that the request added or took; may be 0.")]
    available: int
    held: int
    on_hand: int
    last_movement: int

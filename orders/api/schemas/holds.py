"""The request that holds units, and its answer."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from orders.api.schemas.fields import Input, text
from orders.placing.request import MAX_LINES, MAX_QUANTITY


class HeldLineIn(Input):
    sku: Annotated[str, text(max_length=40), Field(json_schema_extra={"maxLength": 40})]
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]


class HoldIn(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"lines": [{"sku": "MUG-01", "quantity": 2}]}]}
    )

    lines: Annotated[
        list[HeldLineIn],
        Field(min_length=1, max_length=MAX_LINES, description="A SKU on two lines is added up."),
    ]


class HoldOut(BaseModel):
    id: Annotated[UUID, Field(description="Name it as `hold` of the order that uses the units.")]
    expires_at: Annotated[datetime, Field(description="From then on the units may be given back.")]

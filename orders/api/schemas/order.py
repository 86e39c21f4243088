"""An order as it is now."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from orders.api.schemas.fields import Price
from orders.models import Order
from project.jobs.queryset import Status


class LineUpload(BaseModel):
    token: UUID
    quantity: int
    """The number of the line's units that are made with the upload."""


class LineOut(BaseModel):
    sku: str
    name: str
    quantity: int
    unit_price: Price
    total: Price
    uploads: list[LineUpload] = []
    """Left out of the answer if empty."""

    @model_serializer(mode="wrap")
    def _plain(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        line: dict[str, Any] = serialize(self)
        if not self.uploads:
            del line["uploads"]
        return line


class JobOut(BaseModel):
    id: UUID
    app: str
    kind: str
    status: Annotated[str, Field(json_schema_extra={"enum": Status.values})]
    attempts: int
    progress: int
    error: str
    finished_at: datetime | None


class DeliveryOut(BaseModel):
    carrier: str
    service: str
    label: Annotated[str, Field(description="Both in words, in the order's language.")]
    days: int


class PaymentOut(BaseModel):
    due: Annotated[Price, Field(description="What is left to pay.")]
    paid: Annotated[Price, Field(description="The sum of the payments so far.")]
    method: Annotated[str, Field(description="What the customer chose; empty: nothing yet.")]
    methods: Annotated[
        list[str], Field(description="The ways in which it can be paid now, by their names.")
    ]


class OrderOut(BaseModel):
    id: UUID
    number: str
    status: Annotated[str, Field(json_schema_extra={"enum": Order.Status.values})]
    delivery_total: Price
    delivery: Annotated[
        DeliveryOut | None,
        Field(description="The quote that the order was placed by; null: none was chosen."),
    ]
    total: Annotated[Price, Field(description="Lines and delivery.")]
    payment: PaymentOut
    currency: str
    lines: list[LineOut]
    status_url: str
    jobs: list[JobOut]

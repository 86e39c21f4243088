"""An order as it is now."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from orders.api.job_errors import JobErrorCode
from orders.api.schemas.fields import Price
from orders.models import Order, Return
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
    error: Annotated[
        str,
        Field(
            description="Empty, or what is wrong: `retried` (another attempt follows), `failed`,"
            " `worker_died`, `maybe_done` (nobody could make sure) or `not_wanted` (cancelled for"
            " a reason). Only operators see the words of a mail server or gateway.",
            json_schema_extra={"enum": [code.value for code in JobErrorCode]},
        ),
    ]
    finished_at: datetime | None


class DeliveryOut(BaseModel):
    carrier: str
    service: str
    label: Annotated[str, Field(description="Both in words, in the order's language.")]
    days: int


class TaxOut(BaseModel):
    rate: Annotated[str, Field(description="In per cent, such as 19 or 7.7.")]
    net: Price
    tax: Price


class ReturnLineOut(BaseModel):
    sku: str
    quantity: Annotated[int, Field(description="The units that the shopper asked to return.")]
    received: Annotated[int, Field(description="The units of them that came.")]


class ReturnOut(BaseModel):
    id: UUID
    status: Annotated[str, Field(json_schema_extra={"enum": Return.Status.values})]
    requested_at: datetime
    answer: Annotated[str, Field(description="The shop's latest words to the shopper.")]
    lines: list[ReturnLineOut]


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
    discount_total: Annotated[Price, Field(description="What the voucher takes off the lines.")]
    voucher: Annotated[str, Field(description="Its code; empty: none was used.")]
    total: Annotated[Price, Field(description="Lines and delivery, less the discount.")]
    taxes: Annotated[
        list[TaxOut],
        Field(
            description="The tax that the total includes, by rate: all net and tax is the total."
            " Empty: the shop has entered no rate."
        ),
    ]
    payment: PaymentOut
    currency: str
    lines: list[LineOut]
    status_url: str
    returns: Annotated[list[ReturnOut], Field(description="The oldest first.")]
    jobs: list[JobOut]

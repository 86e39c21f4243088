"""What the schemas of keyed operations share: pages, and the order as an API client sees it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from orders.api.pages import MOST_ROWS, PAGE_SIZE
from orders.api.schemas.fields import Price, text
from orders.api.schemas.order import DeliveryOut
from orders.models import Order

MAX_CURSOR_LENGTH = 1000

Cursor = Annotated[
    str,
    text(max_length=MAX_CURSOR_LENGTH, required=False),
    Field(
        description="`next` of the page before, with the same other parameters.",
        json_schema_extra={"maxLength": MAX_CURSOR_LENGTH},
    ),
]
Size = Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows of a page, at most.")]
Next = Annotated[str | None, Field(description="The cursor of the next page; null at the end.")]
Sku = Annotated[str, text(max_length=40), Field(json_schema_extra={"maxLength": 40})]


class Pages(BaseModel):
    cursor: Cursor = ""
    limit: Size = PAGE_SIZE


class CustomerOfOrder(BaseModel):
    """The person of an order, as it was placed or corrected."""

    name: str
    email: str
    phone: Annotated[str, Field(description="E.164, or empty.")]
    language: str
    address: Annotated[
        dict[str, str],
        Field(description="line1, line2, city, region, postcode, country; empty: pick-up."),
    ]


class ClientLineOut(BaseModel):
    sku: str
    name: str
    quantity: int
    refunded: Annotated[int, Field(description="Units of it that were refunded.")]
    unit_price: Price
    total: Price


ORDER_EXAMPLE: dict[str, Any] = {
    "id": None,
    "number": "T10017",
    "status": "paid",
    "source": "shop",
    "placed_at": "2026-05-04T08:30:00Z",
    "changed_at": "2026-05-04T09:12:41.123Z",
    "currency": "EUR",
    "delivery_total": "4.90",
    "discount_total": "0.00",
    "voucher": "",
    "total": "24.70",
    "paid": "24.70",
    "refunded": "0.00",
    "due": "0.00",
    "payment_method": "transfer",
    "delivery": {"carrier": "flat-rate", "service": "standard", "label": "Standard", "days": 3},
    "country": "DE",
    "lines": [
        {
            "sku": "MUG-01",
            "name": "Mug",
            "quantity": 2,
            "refunded": 0,
            "unit_price": "9.90",
            "total": "19.80",
        }
    ],
    "status_url": None,
    "customer": None,
}


class ClientOrderOut(BaseModel):
    """An order as API clients see it. Its person needs the scope `customers:read`."""

    model_config = ConfigDict(json_schema_extra={"examples": [ORDER_EXAMPLE]})

    id: Annotated[
        UUID | None,
        Field(
            description="null without `customers:read`: the id opens the order's page, which shows"
            " its person. Name the order by its `number` then."
        ),
    ]
    number: str
    status: Annotated[str, Field(json_schema_extra={"enum": Order.Status.values})]
    source: Annotated[str, Field(json_schema_extra={"enum": Order.Source.values})]
    placed_at: datetime
    changed_at: datetime
    currency: str
    delivery_total: Price
    discount_total: Price
    voucher: str
    total: Price
    paid: Annotated[Price, Field(description="The sum of its payments.")]
    refunded: Annotated[Price, Field(description="What is owed back, or was sent back.")]
    due: Annotated[Price, Field(description="What is left to pay.")]
    payment_method: Annotated[str, Field(description="What the customer chose; empty: nothing.")]
    delivery: DeliveryOut | None
    country: Annotated[str | None, Field(description="Where it goes; null: it is fetched.")]
    lines: list[ClientLineOut]
    status_url: Annotated[
        str | None, Field(description="Its page, with `customers:read`; else null.")
    ]
    customer: Annotated[
        CustomerOfOrder | None, Field(description="In the list, with `customers:read`; else null.")
    ] = None

"""The list of orders: its filters, which are those of the desk, and its page."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from orders.api.schemas.clients import ORDER_EXAMPLE, ClientOrderOut, Next, Pages
from orders.api.schemas.fields import text
from orders.models import Order
from project.countries import COUNTRIES

Words = Annotated[
    str, text(max_length=200, required=False), Field(json_schema_extra={"maxLength": 200})
]
Amount = Annotated[Decimal | None, Field(ge=0, le=999_999_999_999)]


def _written_out(value: object) -> object:
    """Refuse a bare number, which pydantic takes for seconds since 1970."""
    if isinstance(value, str) and "-" not in value:
        message = _("Write it as 2026-05-04, a moment as 2026-05-04T09:00:00Z.")
        raise PydanticCustomError("invalid", "{message}", {"message": message})
    return value


Day = Annotated[
    date | None,
    BeforeValidator(_written_out),
    Field(description="A day in the shop's time zone, included."),
]


def _known_country(code: str) -> str:
    if code and code != "pickup" and code not in COUNTRIES:
        message = _("Use a country's code of two capital letters, such as DE, or pickup.")
        raise PydanticCustomError("invalid", "{message}", {"message": message})
    return code


class OrderFilters(Pages):
    updated_after: Annotated[
        AwareDatetime | None,
        BeforeValidator(_written_out),
        Field(description="Only orders that were placed or changed after this moment."),
    ] = None
    q: Annotated[
        Words,
        Field(
            description="Number, id, name, e-mail or phone, as at the desk. Anything but a number"
            " needs `customers:read`."
        ),
    ] = ""
    status: Annotated[
        Literal["placed", "paid", "packed", "shipped", "delivered", "cancelled", "refunded"] | None,
        Field(),
    ] = None
    source: Annotated[Order.Source | None, Field()] = None
    jobs: Annotated[
        Literal["trouble", "open"] | None,
        Field(description="With jobs that need attention, or that are going on."),
    ] = None
    payment: Literal["none", "part", "full", "overdue", "owed"] | None = None
    address: Annotated[
        Literal["troubled", "unsent"] | None,
        Field(description="Mail to it bounced or was complained of; `unsent`: and not shipped."),
    ] = None
    sales: Annotated[
        Literal["counted"] | None, Field(description="Neither cancelled nor refunded.")
    ] = None
    placed_from: Day = None
    placed_to: Day = None
    total_from: Amount = None
    total_to: Annotated[
        Amount, Field(description="An amount without `placed_from`: of the last 90 days.")
    ] = None
    product: Annotated[Words, Field(description="SKU, or words of the name.")] = ""
    country: Annotated[
        str,
        Field(
            description="A country's code, or `pickup`.",
            json_schema_extra={"enum": ["", "pickup", *sorted(COUNTRIES)]},
        ),
        AfterValidator(_known_country),
    ] = ""
    carrier: Annotated[Words, Field(description="That shipped it, in any case.")] = ""


class OrderPage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [ORDER_EXAMPLE],
                    "next": None,
                    "resume_after": "2026-05-04T09:12:11.123Z",
                }
            ]
        }
    )

    items: list[ClientOrderOut]
    """The longest unchanged first."""
    next: Next
    resume_after: Annotated[
        datetime | None,
        Field(
            description="Send it as `updated_after` when you ask again later. It lies up to half a"
            " minute back: an order may come twice, and none is missed. null: nothing was found."
        ),
    ]

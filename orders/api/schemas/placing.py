"""The request that places an order."""

from decimal import Decimal
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StrictInt, ValidationInfo

from orders.api.schemas.fields import LONG, SHORT, Input, Price, applied, rule, text
from orders.models import Order
from orders.placing.request import (
    MAX_LINES,
    MAX_NAME_LENGTH,
    MAX_QUANTITY,
    ChosenDelivery,
    OrderRequest,
    RequestedLine,
    check_postcode,
    clean_country,
    clean_email,
    clean_phone,
    clean_upload,
)
from orders.quotes.carriers.pickup import NAME as PICKUP_CARRIER
from orders.vouchers.discount import MAX_CODE_LENGTH, plain_code


def _check_postcode(postcode: str, so_far: ValidationInfo) -> str:
    """Return the postcode, if the country (a field before it, left out if invalid) allows it."""
    applied(partial(check_postcode, country=so_far.data.get("country", "")), postcode)
    return postcode


class LineIn(Input):
    sku: Annotated[str, text(max_length=40), Field(json_schema_extra={"maxLength": 40})]
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]
    upload: Annotated[
        str,
        rule(clean_upload),
        Field(
            description="The token of an upload, for a product that is personalised.",
            json_schema_extra={"anyOf": [{"format": "uuid"}, {"maxLength": 0}]},
        ),
    ] = ""


class AddressIn(Input):
    """Where the order goes; without one it is picked up."""

    line1: Annotated[str, text(max_length=200), LONG]
    line2: Annotated[str, text(max_length=200, required=False)] = ""
    city: Annotated[str, text(max_length=100), SHORT]
    region: Annotated[
        str,
        text(max_length=100, required=False),
        Field(
            description="The state, province or prefecture, where addresses have one.",
            json_schema_extra={"maxLength": 100},
        ),
    ] = ""
    country: Annotated[str, rule(clean_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})]
    postcode: Annotated[
        str,
        text(max_length=20, required=False),
        AfterValidator(_check_postcode),
        Field(
            description="Required where the country has postcodes.",
            json_schema_extra={"maxLength": 20},
            validate_default=True,
        ),
    ] = ""


PICKUP = AddressIn.model_construct(line1="", line2="", city="", region="", postcode="", country="")


class DeliveryIn(Input):
    """One of the quotes of `POST quotes`, by its names."""

    carrier: Annotated[str, text(max_length=30), Field(json_schema_extra={"maxLength": 30})]
    service: Annotated[str, text(max_length=40), Field(json_schema_extra={"maxLength": 40})]


NO_DELIVERY = DeliveryIn.model_construct(carrier="", service="")


class PaymentIn(Input):
    """How the customer wants to pay."""

    method: Annotated[
        str,
        text(max_length=20),
        Field(
            description="A payment provider's name, `transfer`, or `pickup` for an order without an"
            " address; an order's `payment.methods` lists what the shop has.",
            json_schema_extra={"maxLength": 20},
        ),
    ]


NOT_CHOSEN = PaymentIn.model_construct(method="")


class OrderIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Ada Lovelace",
                    "email": "ada@example.org",
                    "lines": [{"sku": "MUG-01", "quantity": 2}],
                }
            ]
        }
    )

    name: Annotated[str, text(max_length=MAX_NAME_LENGTH), LONG]
    email: Annotated[str, rule(clean_email), Field(json_schema_extra={"format": "email"})]
    phone: Annotated[
        str, rule(clean_phone), Field(description="E.164, or national of the shop's country.")
    ] = ""
    language: Literal["en", "zh-hans"] = "en"
    address: AddressIn = Field(default_factory=lambda: PICKUP)
    lines: Annotated[
        list[LineIn],
        Field(
            min_length=1,
            max_length=MAX_LINES,
            description="A SKU on two lines is merged; its uploads stay apart.",
        ),
    ]
    delivery: Annotated[
        DeliveryIn,
        Field(
            description="How the order is delivered; its price is part of the total. Without it"
            " delivery costs nothing. With the carrier `pickup` an address isn't kept.",
        ),
    ] = Field(default_factory=lambda: NO_DELIVERY)
    payment: Annotated[
        PaymentIn,
        Field(
            description="Without it the customer chooses on the order's page. It may change later,"
            " so a repeat with another one is the same order, as it is.",
        ),
    ] = Field(default_factory=lambda: NOT_CHOSEN)
    voucher: Annotated[
        str,
        text(max_length=MAX_CODE_LENGTH, required=False),
        Field(
            description="A voucher's code, in small or capital letters.",
            json_schema_extra={"maxLength": MAX_CODE_LENGTH},
        ),
    ] = ""
    hold: Annotated[
        UUID | None,
        Field(
            description="A hold of `POST holds`: its units are this order's, and it ends with it."
            " After its end an order gets what is available."
        ),
    ] = None
    expected_total: Price = Field(  # the document has no default: an empty one is no price
        default_factory=str,
        description="What the shopper was shown, delivery included; another total is refused,"
        " not charged.",
    )

    def request(
        self, *, key: str, counted_address: str, is_synthetic: bool = False
    ) -> OrderRequest:
        address = self.address.model_dump()
        if self.delivery.carrier == PICKUP_CARRIER:
            address = {}
        return OrderRequest(
            source=Order.Source.API,
            key=key,
            name=self.name,
            email=self.email,
            phone=self.phone,
            language=self.language,
            address={part: text for part, text in address.items() if text},
            lines=tuple(RequestedLine(**vars(line)) for line in self.lines),
            delivery=ChosenDelivery(**vars(self.delivery)) if self.delivery.carrier else None,
            payment_method=self.payment.method,
            expected_total=Decimal(self.expected_total) if self.expected_total else None,
            voucher=plain_code(self.voucher),
            hold=self.hold,
            counted_address=counted_address,
            is_synthetic=is_synthetic,
        )

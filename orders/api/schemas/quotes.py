"""What delivery costs: the question and its answer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from orders.api.schemas.fields import Input, Price, rule, text
from orders.placing.request import MAX_LINES, MAX_QUANTITY, clean_country


class QuoteAddressIn(Input):
    """Where the parcel goes: an order's address, of which only the country is needed.

    Country, postcode and city make the price; the carriers get nothing else of it.
    """

    country: Annotated[str, rule(clean_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})]
    postcode: Annotated[
        str, text(max_length=20, required=False), Field(json_schema_extra={"maxLength": 20})
    ] = ""
    city: Annotated[
        str, text(max_length=100, required=False), Field(json_schema_extra={"maxLength": 100})
    ] = ""
    region: Annotated[str, text(max_length=100, required=False)] = ""
    line1: Annotated[str, text(max_length=200, required=False)] = ""
    line2: Annotated[str, text(max_length=200, required=False)] = ""


NOWHERE = QuoteAddressIn.model_construct(
    country="", postcode="", city="", region="", line1="", line2=""
)


class QuotedLineIn(Input):
    sku: Annotated[str, text(max_length=40), Field(json_schema_extra={"maxLength": 40})]
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]


class QuotesIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "address": {"country": "DE", "postcode": "10115", "city": "Berlin"},
                    "lines": [{"sku": "MUG-01", "quantity": 2}],
                }
            ]
        }
    )

    address: Annotated[
        QuoteAddressIn, Field(description="Without one there is only what needs none: pick-up.")
    ] = Field(default_factory=lambda: NOWHERE)
    lines: Annotated[
        list[QuotedLineIn],
        Field(min_length=1, max_length=MAX_LINES, description="A SKU on two lines is merged."),
    ]


class QuoteOut(BaseModel):
    carrier: str
    service: str
    price: Price
    currency: str
    days: Annotated[int, Field(description="Until it is there, at most.")]


class MissingOut(BaseModel):
    carrier: str
    reason: Annotated[str, Field(description="A sentence for the shopper.")]


class QuotesOut(BaseModel):
    quotes: Annotated[list[QuoteOut], Field(description="The cheapest first; pick-up is the last.")]
    missing: Annotated[
        list[MissingOut],
        Field(description="Carriers without a quote, and quotes that were left out."),
    ]

"""The schemas of the API's requests and answers; OpenAPI is generated from them.

The rules of `orders.placing.request` check the input, so shop and API refuse the same values.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictInt,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from orders.catalogue.search.pages import MAX_CURSOR_LENGTH
from orders.catalogue.search.words import MAX_SEARCH_LENGTH
from orders.models import Order, Product
from orders.placing.errors import InvalidOrder
from orders.placing.request import (
    KEY_PATTERN,
    MAX_LINES,
    MAX_NAME_LENGTH,
    MAX_QUANTITY,
    ChosenDelivery,
    OrderRequest,
    RequestedLine,
    check_postcode,
    clean_country,
    clean_email,
    clean_key,
    clean_phone,
    clean_text,
    clean_upload,
)
from orders.quotes.carriers.pickup import NAME as PICKUP_CARRIER
from project.jobs.queryset import Status

T = TypeVar("T")

PRICE_PATTERN = r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}$"


def _rule(clean: Callable[[str], str]) -> AfterValidator:
    """Return a validator that applies a rule of the order request. pydantic names the field."""

    return AfterValidator(lambda value: _applied(clean, value))


def _applied(clean: Callable[[str], T], value: str) -> T:
    try:
        return clean(value)
    except InvalidOrder as invalid:
        messages = {"message": " ".join(error.message for error in invalid.errors)}
        raise PydanticCustomError("invalid", "{message}", messages) from None


def _check_postcode(postcode: str, so_far: ValidationInfo) -> str:
    """Return the postcode, if the country (a field before it, left out if invalid) allows it."""
    _applied(partial(check_postcode, country=so_far.data.get("country", "")), postcode)
    return postcode


def _text(*, max_length: int, required: bool = True) -> AfterValidator:
    return _rule(partial(clean_text, field="", max_length=max_length, required=required))


# `json_schema_extra` only describes the limits in OpenAPI; the rules check them.
_LONG = Field(json_schema_extra={"minLength": 1, "maxLength": 200})
_SHORT = Field(json_schema_extra={"minLength": 1, "maxLength": 100})

IdempotencyKey = Annotated[
    str,
    _rule(clean_key),
    Field(
        description="Yours for this order: repeating the request with it is safe.",
        json_schema_extra={"pattern": KEY_PATTERN},
    ),
]
Price = Annotated[str, Field(pattern=PRICE_PATTERN, examples=["12.30"])]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LineIn(_Input):
    sku: Annotated[str, _text(max_length=40), Field(json_schema_extra={"maxLength": 40})]
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]
    upload: Annotated[
        str,
        _rule(clean_upload),
        Field(
            description="The token of an upload, for a product that is personalised.",
            json_schema_extra={"anyOf": [{"format": "uuid"}, {"maxLength": 0}]},
        ),
    ] = ""


class AddressIn(_Input):
    """Where the order goes; without one it is picked up."""

    line1: Annotated[str, _text(max_length=200), _LONG]
    line2: Annotated[str, _text(max_length=200, required=False)] = ""
    city: Annotated[str, _text(max_length=100), _SHORT]
    region: Annotated[
        str,
        _text(max_length=100, required=False),
        Field(
            description="The state, province or prefecture, where addresses have one.",
            json_schema_extra={"maxLength": 100},
        ),
    ] = ""
    country: Annotated[
        str, _rule(clean_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})
    ]
    postcode: Annotated[
        str,
        _text(max_length=20, required=False),
        AfterValidator(_check_postcode),
        Field(
            description="Required where the country has postcodes.",
            json_schema_extra={"maxLength": 20},
            validate_default=True,
        ),
    ] = ""


PICKUP = AddressIn.model_construct(line1="", line2="", city="", region="", postcode="", country="")


class DeliveryIn(_Input):
    """One of the quotes of `POST quotes`, by its names."""

    carrier: Annotated[str, _text(max_length=30), Field(json_schema_extra={"maxLength": 30})]
    service: Annotated[str, _text(max_length=40), Field(json_schema_extra={"maxLength": 40})]


NO_DELIVERY = DeliveryIn.model_construct(carrier="", service="")


class PaymentIn(_Input):
    """How the customer wants to pay."""

    method: Annotated[
        str,
        _text(max_length=20),
        Field(
            description="A payment provider's name, `transfer`, or `pickup` for an order without an"
            " address; an order's `payment.methods` lists what the shop has.",
            json_schema_extra={"maxLength": 20},
        ),
    ]


NOT_CHOSEN = PaymentIn.model_construct(method="")


class OrderIn(_Input):
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

    name: Annotated[str, _text(max_length=MAX_NAME_LENGTH), _LONG]
    email: Annotated[str, _rule(clean_email), Field(json_schema_extra={"format": "email"})]
    phone: Annotated[
        str, _rule(clean_phone), Field(description="E.164, or national of the shop's country.")
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
    expected_total: Annotated[
        Price,
        Field(
            description="What the shopper was shown, delivery included; another total is refused,"
            " not charged."
        ),
    ] = ""

    def request(self, *, key: str, counted_address: str) -> OrderRequest:
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
            counted_address=counted_address,
        )


class QuoteAddressIn(_Input):
    """Where the parcel goes: an order's address, of which only the country is needed.

    Country, postcode and city make the price; the carriers get nothing else of it.
    """

    country: Annotated[
        str, _rule(clean_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})
    ]
    postcode: Annotated[
        str, _text(max_length=20, required=False), Field(json_schema_extra={"maxLength": 20})
    ] = ""
    city: Annotated[
        str, _text(max_length=100, required=False), Field(json_schema_extra={"maxLength": 100})
    ] = ""
    region: Annotated[str, _text(max_length=100, required=False)] = ""
    line1: Annotated[str, _text(max_length=200, required=False)] = ""
    line2: Annotated[str, _text(max_length=200, required=False)] = ""


NOWHERE = QuoteAddressIn.model_construct(
    country="", postcode="", city="", region="", line1="", line2=""
)


class QuotedLineIn(_Input):
    sku: Annotated[str, _text(max_length=40), Field(json_schema_extra={"maxLength": 40})]
    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]


class QuotesIn(_Input):
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


class ProductFilters(BaseModel):
    search: Annotated[
        str,
        _text(max_length=MAX_SEARCH_LENGTH, required=False),
        Field(
            description=(
                "Words of the name, description, category or SKU: in any form, or their beginning."
                " A typing mistake is corrected if nothing has what was typed."
            ),
            json_schema_extra={"maxLength": MAX_SEARCH_LENGTH},
        ),
    ] = ""
    sort: Annotated[
        Literal["relevance", "price", "-price", "newest", "best"],
        Field(description="Without a search, `relevance` is by name. `best` sells best."),
    ] = "relevance"
    category: Annotated[
        str,
        _text(max_length=100, required=False),
        Field(
            description="A category's slug. One that doesn't exist is invalid.",
            json_schema_extra={"maxLength": 100},
        ),
    ] = ""
    cursor: Annotated[
        str,
        _text(max_length=MAX_CURSOR_LENGTH, required=False),
        Field(
            description="`next` or `previous` of another page of the same list.",
            json_schema_extra={"maxLength": MAX_CURSOR_LENGTH},
        ),
    ] = ""
    page: Annotated[
        int,
        Field(ge=1, le=100_000, description="Fifty products each; not together with a cursor."),
    ] = 1

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.cursor and self.page > 1:
            raise PydanticCustomError("invalid", "Use a cursor or a page's number, not both.")
        return self


class Image(BaseModel):
    rendition: str
    format: str
    width: int
    height: int
    url: str


class Video(Image):
    """A file that plays (`mp4`, `m3u8`), or the `poster` to show before."""

    seconds: float | None


class ProductOut(BaseModel):
    sku: str
    name: str
    price: Price
    currency: str
    available: int
    units_sold: int
    images: list[Image]
    videos: list[Video]
    personalisation: Annotated[
        str,
        Field(
            description="What the product asks the shopper for, as `upload` of its line.",
            json_schema_extra={"enum": Product.Personalisation.values},
        ),
    ]
    requires_upload: bool
    weight: Annotated[int | None, Field(description="Grams; null: it isn't known.")]


class ProductPage(BaseModel):
    items: list[ProductOut]
    count: int
    """The number of products in all pages."""
    next: str | None
    previous: str | None
    """The cursors of the pages beside this one; null at the ends."""
    corrected: str | None
    """The search that was made instead, if nothing has what was typed."""


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


class UploadOut(BaseModel):
    token: UUID
    kind: Literal["picture", "video"]
    name: str
    content_type: str
    size: int
    """Bytes."""
    state: Literal["checking", "late", "usable", "refused"]
    """An order can be placed with it once it is usable."""
    reason: str
    """Why it was refused, for the shopper."""


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


class ProblemOut(BaseModel):
    """RFC 9457. `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class FieldErrorOut(BaseModel):
    field: str
    message: str


class InvalidOut(ProblemOut):
    errors: list[FieldErrorOut]


class ShortageOut(BaseModel):
    sku: str
    requested: int
    available: int


class ConflictOut(ProblemOut):
    """`items` with `out_of_stock`, `total` with `total_changed`, `reason` with `delivery_changed`,
    none with `key_reused`."""

    items: list[ShortageOut] | None = None
    total: Price | None = None
    reason: str | None = None
    """Why the chosen carrier has no such quote now; empty: it just doesn't name the service."""


class LimitedOut(ProblemOut):
    limit: Literal["address", "email", "phone", "session", "all"]
    """What reached its limit."""


class UnavailableOut(ProblemOut):
    status_url: str | None = None
    """With `outcome_unknown`: where the order is, if it is."""

"""The requests of carts and checkouts."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from orders.agents.schemas.fields import Line, Sent, Word
from orders.placing.request import MAX_LINES


class ItemIn(Sent):
    id: Annotated[Word, Field(min_length=1)]


class LineIn(Sent):
    item: ItemIn
    quantity: Annotated[StrictInt, Field(ge=1, le=10**9)]


class BuyerIn(Sent):
    first_name: Word = ""
    last_name: Word = ""
    email: Annotated[Line, Field(max_length=254)] = ""
    phone_number: Word = ""


class ContextIn(Sent):
    address_country: Word = ""
    postal_code: Word = ""
    language: Word = ""
    eligibility: Annotated[list[Word], Field(max_length=20)] = []


class DiscountsIn(Sent):
    codes: Annotated[list[Word], Field(max_length=10)] = []


class DestinationIn(Sent):
    id: Word = ""
    first_name: Word = ""
    last_name: Word = ""
    phone_number: Word = ""
    street_address: Line = ""
    extended_address: Line = ""
    address_locality: Word = ""
    address_region: Word = ""
    postal_code: Word = ""
    address_country: Word = ""


class GroupIn(Sent):
    id: Word = ""
    selected_option_id: Word | None = None


class MethodIn(Sent):
    id: Word = ""
    type: Literal["shipping", "pickup"] = "shipping"
    destinations: Annotated[list[DestinationIn], Field(max_length=10)] = []
    selected_destination_id: Word | None = None
    groups: Annotated[list[GroupIn], Field(max_length=MAX_LINES)] = []


class FulfillmentIn(Sent):
    methods: Annotated[list[MethodIn], Field(max_length=10)] = []


class CredentialIn(Sent):
    """It is used once and never kept."""

    type: Word = ""
    token: Annotated[str, Field(max_length=10_000, repr=False)] = ""


class InstrumentIn(Sent):
    id: Word = ""
    handler_id: Word = ""
    type: Word = ""
    selected: StrictBool | None = None
    """Whether it is the one that pays; may be left out, also by the protocol."""
    credential: Annotated[CredentialIn | None, Field(repr=False)] = None
    billing_address: DestinationIn | None = None


class PaymentIn(Sent):
    instruments: Annotated[list[InstrumentIn], Field(max_length=10)] = []


class CartIn(Sent):
    line_items: Annotated[list[LineIn], Field(max_length=MAX_LINES)]
    buyer: BuyerIn | None = None
    context: ContextIn | None = None
    discounts: DiscountsIn | None = None


class CheckoutIn(CartIn):
    fulfillment: FulfillmentIn | None = None
    payment: PaymentIn | None = None
    cart_id: Word = ""


class CompletionIn(Sent):
    """A buyer may come with the payment; the protocol leaves it out, and doesn't forbid it."""

    payment: PaymentIn
    buyer: BuyerIn | None = None

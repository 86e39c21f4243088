"""Customers for API clients: accounts with their addresses."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from orders.api.schemas.clients import Next, Pages
from orders.api.schemas.fields import text


class CustomerFilters(Pages):
    email: Annotated[
        str,
        text(max_length=254, required=False),
        Field(
            description="Only with this address, in any case.", json_schema_extra={"maxLength": 254}
        ),
    ] = ""


class AddressOut(BaseModel):
    line1: str
    line2: str
    postcode: str
    city: str
    region: str
    country: str
    is_default: bool


class CustomerOut(BaseModel):
    id: int
    name: str
    email: str
    phone: Annotated[str, Field(description="E.164, confirmed by a code; or empty.")]
    language: Annotated[str, Field(description="Empty: the browser's.")]
    wants_announcements: bool
    is_active: bool
    joined_at: datetime
    orders: Annotated[int, Field(description="The orders of the account.")]
    addresses: list[AddressOut]


class CustomerPage(BaseModel):
    items: list[CustomerOut]
    """In the order in which they joined."""
    next: Next

"""Customers for API clients: accounts with their addresses."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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


EXAMPLE: dict[str, Any] = {
    "id": 17,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "phone": "+4943112345",
    "language": "en",
    "wants_announcements": False,
    "is_active": True,
    "joined_at": "2026-01-02T08:00:00Z",
    "orders": 3,
    "addresses": [
        {
            "line1": "1 Mill Rd",
            "line2": "",
            "postcode": "CB7 4AA",
            "city": "Ely",
            "region": "",
            "country": "GB",
            "is_default": True,
        }
    ],
}


class AddressOut(BaseModel):
    line1: str
    line2: str
    postcode: str
    city: str
    region: str
    country: str
    is_default: bool


class CustomerOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

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
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[CustomerOut]
    """In the order in which they joined."""
    next: Next

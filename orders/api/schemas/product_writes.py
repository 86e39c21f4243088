"""Products for API clients: all that the shop knows of each, and the requests that write them."""

from datetime import datetime
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from orders.api.schemas.clients import Next, Pages
from orders.api.schemas.fields import Input, Price, text
from orders.api.schemas.problems import FieldErrorOut

MOST_ITEMS = 100


class CatalogueFilters(Pages):
    sku: Annotated[
        str,
        text(max_length=40, required=False),
        Field(description="Only this one.", json_schema_extra={"maxLength": 40}),
    ] = ""
    is_active: Annotated[bool | None, Field(description="Only what is on sale, or is not.")] = None


class CatalogueItemOut(BaseModel):
    sku: str
    name: str
    description: str
    category: Annotated[str, Field(description="Its name.")]
    price: Price
    currency: str
    is_active: bool
    shelf: str
    weight: Annotated[int | None, Field(description="Grams; null: it isn't known.")]
    tax_class: Annotated[str | None, Field(description="Its name; null: the usual rate.")]
    variant_of: Annotated[str | None, Field(description="The SKU of its product.")]
    options: list[str]
    position: int
    available: int
    translations: Annotated[
        dict[str, dict[str, str | list[str]]],
        Field(description="Texts by language and field."),
    ]
    created_at: datetime


class CataloguePage(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "sku": "MUG-01",
                            "name": "Mug",
                            "description": "Stoneware.",
                            "category": "Kitchen",
                            "price": "9.90",
                            "currency": "EUR",
                            "is_active": True,
                            "shelf": "A-12",
                            "weight": 350,
                            "tax_class": None,
                            "variant_of": None,
                            "options": [],
                            "position": 0,
                            "available": 40,
                            "translations": {"zh-hans": {"name": "马克杯"}},
                            "created_at": "2026-01-02T08:00:00Z",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )

    items: list[CatalogueItemOut]
    """In the order of their creation."""
    next: Next


def _whole(option: str) -> str:
    """Refuse what an import would read as several options."""
    if "|" in option:
        message = _("Leave out |: it stands between options.")
        raise PydanticCustomError("invalid", "{message}", {"message": message})
    return option


Option = Annotated[StrictStr, AfterValidator(_whole)]


class TextsIn(Input):
    name: StrictStr | None = None
    description: StrictStr | None = None


class ProductIn(Input):
    """A product by its SKU. What is left out or null stays as it is. An empty text empties
    `description`, `shelf`, `tax_class` (then it has the usual rate) and translations, and is
    refused elsewhere. Empty `options` say nothing. A new product needs `name`, `category` and
    `price`, a new variant `variant_of`, `options` and `price`."""

    sku: StrictStr
    name: StrictStr | None = None
    category: Annotated[
        StrictStr | None, Field(description="Its name; a category that is new is made.")
    ] = None
    description: StrictStr | None = None
    price: Annotated[StrictStr | None, Field(description='Like "12.30".')] = None
    is_active: StrictBool | None = None
    shelf: StrictStr | None = None
    weight: Annotated[StrictInt | None, Field(description="Grams.")] = None
    tax_class: Annotated[StrictStr | None, Field(description="Its name; it must exist.")] = None
    stock: Annotated[
        StrictInt | None,
        Field(description="Of a new product. That of a known one is moved or counted."),
    ] = None
    variant_of: Annotated[StrictStr | None, Field(description="The SKU of its product.")] = None
    options: Annotated[
        list[Option] | None,
        Field(max_length=10, description="Of a product: what is chosen. Of a variant: what it is."),
    ] = None
    position: StrictInt | None = None
    translations: Annotated[
        dict[str, TextsIn] | None, Field(description="Texts by language, such as `zh-hans`.")
    ] = None


class ProductsIn(Input):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"sku": "MUG-01", "price": "9.90"},
                        {
                            "sku": "CUP-02",
                            "name": "Cup",
                            "category": "Kitchen",
                            "price": "7.50",
                            "stock": 20,
                        },
                    ]
                }
            ]
        }
    )

    items: Annotated[list[ProductIn], Field(min_length=1, max_length=MOST_ITEMS)]


class ProductResultOut(BaseModel):
    sku: str
    outcome: Literal["created", "changed", "unchanged", "refused"]
    detail: Annotated[str, Field(description="What was changed, in words; or why it was refused.")]
    errors: Annotated[
        list[FieldErrorOut], Field(description="Of a refused item; empty for the others.")
    ]


class ProductResults(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "sku": "MUG-01",
                            "outcome": "changed",
                            "detail": "price: 8.90 → 9.90",
                            "errors": [],
                        },
                        {
                            "sku": "CUP-02",
                            "outcome": "refused",
                            "detail": "category: a new product needs it",
                            "errors": [{"field": "category", "message": "a new product needs it"}],
                        },
                    ]
                }
            ]
        }
    )

    items: list[ProductResultOut]
    """One for each item of the request, in its order."""

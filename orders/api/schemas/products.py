"""Lists of products: their filters, and the answers."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from orders.api.schemas.fields import Price, text
from orders.catalogue.search.pages import MAX_CURSOR_LENGTH
from orders.catalogue.search.words import MAX_SEARCH_LENGTH
from orders.models import Product


class ProductFilters(BaseModel):
    search: Annotated[
        str,
        text(max_length=MAX_SEARCH_LENGTH, required=False),
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
        text(max_length=100, required=False),
        Field(
            description="A category's slug. One that doesn't exist is invalid.",
            json_schema_extra={"maxLength": 100},
        ),
    ] = ""
    cursor: Annotated[
        str,
        text(max_length=MAX_CURSOR_LENGTH, required=False),
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


class VariantOut(BaseModel):
    """What is ordered of a product with variants: by its own SKU, from its own stock."""

    sku: Annotated[str, Field(examples=["APP-SHIRT-M-RED"])]
    name: Annotated[str, Field(examples=["T-shirt, M, red"])]
    options: Annotated[
        dict[str, str],
        Field(
            description="What it is, by what is chosen, in the shop's order.",
            examples=[{"Size": "M", "Colour": "red"}],
        ),
    ]
    price: Price
    currency: str
    available: int
    images: Annotated[
        list[Image], Field(description="Its own come first, then those of its product.")
    ]


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
    variants: Annotated[
        list[VariantOut],
        Field(
            description=(
                "Empty: the product itself is ordered. Else one of these is; `price` is then the"
                " lowest of theirs, `available` and `units_sold` are theirs together."
            )
        ),
    ]


class ProductPage(BaseModel):
    items: list[ProductOut]
    count: int
    """The number of products in all pages."""
    next: str | None
    previous: str | None
    """The cursors of the pages beside this one; null at the ends."""
    corrected: str | None
    """The search that was made instead, if nothing has what was typed."""

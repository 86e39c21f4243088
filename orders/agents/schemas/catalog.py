"""The requests of the catalogue."""

from typing import Annotated

from pydantic import Field, StrictInt

from orders.agents.schemas.fields import Long, Sent, Word

Amount = Annotated[StrictInt, Field(ge=0, le=10**14)]


class PriceIn(Sent):
    min: Amount | None = None
    max: Amount | None = None


class FiltersIn(Sent):
    categories: Annotated[list[Word], Field(max_length=20)] = []
    price: PriceIn | None = None


class ContextIn(Sent):
    currency: Word = ""
    language: Word = ""


class PageIn(Sent):
    cursor: Annotated[str, Field(max_length=500)] = ""
    limit: Annotated[StrictInt, Field(ge=1)] = 10


class SearchIn(Sent):
    query: Long | None = None
    filters: FiltersIn | None = None
    pagination: PageIn | None = None
    cursor: Annotated[str, Field(max_length=500)] = ""
    """The page's cursor, where a client sends it without `pagination`."""
    context: ContextIn | None = None


class LookupIn(Sent):
    ids: Annotated[list[Word], Field(min_length=1)]
    filters: FiltersIn | None = None
    context: ContextIn | None = None


class OptionIn(Sent):
    name: Word
    label: Word


class ProductIn(Sent):
    id: Annotated[Word, Field(min_length=1)]
    selected: Annotated[list[OptionIn], Field(max_length=10)] = []
    preferences: Annotated[list[Word], Field(max_length=10)] = []
    filters: FiltersIn | None = None
    context: ContextIn | None = None

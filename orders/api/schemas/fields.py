"""What the fields of several schemas share.

The rules of `orders.placing.request` check the input, so shop and API refuse the same values.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from orders.placing.errors import InvalidOrder
from orders.placing.request import KEY_PATTERN, clean_key, clean_text

T = TypeVar("T")

PRICE_PATTERN = r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}$"


def rule(clean: Callable[[str], str]) -> AfterValidator:
    """Return a validator that applies a rule of the order request. pydantic names the field."""

    return AfterValidator(lambda value: applied(clean, value))


def applied(clean: Callable[[str], T], value: str) -> T:
    try:
        return clean(value)
    except InvalidOrder as invalid:
        messages = {"message": " ".join(error.message for error in invalid.errors)}
        raise PydanticCustomError("invalid", "{message}", messages) from None


def text(*, max_length: int, required: bool = True) -> AfterValidator:
    return rule(partial(clean_text, field="", max_length=max_length, required=required))


# `json_schema_extra` only describes the limits in OpenAPI; the rules check them.
LONG = Field(json_schema_extra={"minLength": 1, "maxLength": 200})
SHORT = Field(json_schema_extra={"minLength": 1, "maxLength": 100})

IdempotencyKey = Annotated[
    str,
    rule(clean_key),
    Field(
        description="Yours for this order: repeating the request with it is safe.",
        json_schema_extra={"pattern": KEY_PATTERN},
    ),
]
Price = Annotated[str, Field(pattern=PRICE_PATTERN, examples=["12.30"])]


class Input(BaseModel):
    # A field that isn't known is a mistake that nobody would notice.
    model_config = ConfigDict(extra="forbid")

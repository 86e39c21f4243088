"""What the fields of several schemas share: texts by the rules of `orders.placing.request`."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from orders.agents.errors import InvalidInput
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_text

M = TypeVar("M", bound=BaseModel)
_REASONS = {
    "missing": "It is required.",
    "model_type": "Send an object.",
    "list_type": "Send a list.",
    "string_type": "Send a text.",
    "string_unicode": "Remove the characters that can't be printed.",
    "int_type": "Send a whole number.",
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "literal_error": "Send one of these: {expected}.",
    "greater_than_equal": "Send at least {ge}.",
    "less_than_equal": "Send at most {le}.",
    "too_short": "Send at least {min_length}.",
    "too_long": "Send at most {max_length}.",
    "string_too_short": "Use at least {min_length} characters.",
    "string_too_long": "Use at most {max_length} characters.",
}
"""By pydantic's types of errors."""


def _clean(value: str, *, most: int) -> str:
    try:
        return clean_text(value, field="", max_length=most, required=False)
    except InvalidOrder as invalid:
        raise ValueError(" ".join(error.message for error in invalid.errors)) from None


def text(most: int) -> AfterValidator:
    """Return the rule of a text on one line with at most so many characters."""
    return AfterValidator(partial(_clean, most=most))


Word = Annotated[str, text(100)]
Line = Annotated[str, text(200)]
Long = Annotated[str, text(1000)]


class Sent(BaseModel):
    """A part of a request. What the protocol adds to it later must not fail."""

    model_config = ConfigDict(extra="ignore")


def read(model: type[M], payload: Any) -> M:
    """Return the payload as the model. Raises InvalidInput, which names the first wrong field."""
    if not isinstance(payload, Mapping):
        raise InvalidInput("Send an object.")
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = "$" + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]
        )
        raise InvalidInput(_reason(first), path=path[:200]) from None


def _reason(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field in words that name nothing of this program."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    return _REASONS.get(error["type"], "Send another value.").format_map(context)

"""What the fields of several schemas share: texts by the rules of `orders.placing.request`."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from orders.agents.errors import InvalidInput
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_text

M = TypeVar("M", bound=BaseModel)


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
        raise InvalidInput(f"{path}: {first['msg']}", path=path[:200]) from None

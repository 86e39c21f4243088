"""Strict JSON (RFC 8259), without Python's extensions: what programs send to the shop."""

import json
from decimal import Decimal
from typing import Any, NoReturn

MAX_DIGITS = 1000
"""Longer integers become decimals: Python refuses to convert very long ones."""


def read_json(body: bytes) -> Any:
    """Return what the bytes say. Raises ValueError with a sentence about what is wrong.

    An object that has a name twice is refused: another parser may read the other value.
    """
    try:
        # A lone surrogate in the bytes is refused here; the fields refuse one in \ud800 form.
        return json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except RecursionError:
        raise ValueError("It is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("An object has the same name twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= MAX_DIGITS else Decimal(digits)

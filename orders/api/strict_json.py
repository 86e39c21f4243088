"""The parser of request bodies: strict JSON (RFC 8259), without Python's extensions."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from orders.api.problems import Problem

MAX_DIGITS = 1000
"""Longer integers become decimals: Python refuses to convert very long ones."""


class StrictParser(Parser):
    """Refuses invalid JSON, and objects that have a name twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed body. Raises Problem: 415, 400."""
        if request.content_type != "application/json":
            detail = "The body must be application/json."
            raise Problem(415, "unsupported_media_type", detail)
        try:
            # A lone surrogate in the bytes is refused here; the fields refuse one in \ud800 form.
            return json.loads(
                request.body.decode(),
                object_pairs_hook=_object,
                parse_constant=_refuse_constant,
                parse_int=_integer,
            )
        except RecursionError:
            raise _unreadable("It is nested too deeply.") from None
        except ValueError as error:
            raise _unreadable(f"{error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # The meaning is unclear: another parser, as in a proxy, may read the other value.
        raise ValueError("An object has the same name twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= MAX_DIGITS else Decimal(digits)


def _unreadable(reason: str) -> Problem:
    return Problem(400, "bad_request", f"The body is not JSON. {reason}")

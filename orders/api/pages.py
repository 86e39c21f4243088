"""Pages of the keyed lists: cursors that only the shop makes, and rows behind them."""

from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from pydantic import BaseModel

from orders.api.problems import Problem, invalid_problem
from project.desk.keyset import InvalidPlaceError, KeyPage, read_next

PAGE_SIZE, MOST_ROWS = 50, 200
_SIGNER = Signer(salt="orders.api.pages")


def refuse_unknown(request: HttpRequest, filters: BaseModel) -> None:
    """Raise Problem: 422 for a parameter that isn't one: misspelt, it would filter nothing."""
    unknown = sorted(request.GET.keys() - type(filters).model_fields.keys())
    if unknown:
        message = _("There is no such parameter.")
        raise invalid_problem([{"field": name[:200], "message": message} for name in unknown[:100]])


def read_rows(rows: QuerySet[Any], *, cursor: str, size: int) -> KeyPage:
    """Return the page behind the cursor. Raises Problem: 422 for one of no or another list."""
    try:
        return read_next(rows, place=place_of(cursor), size=size)
    except InvalidPlaceError:
        raise invalid_cursor() from None


def cursor_of(place: str) -> str | None:
    """Return the place as clients get it; None at the end of the list."""
    return _SIGNER.sign_object([place]) if place else None


def place_of(cursor: str) -> str:
    """Return the place of a cursor, empty without one. Raises Problem: 422."""
    if not cursor:
        return ""
    try:
        (place,) = _SIGNER.unsign_object(cursor)
    except (BadSignature, ValueError, TypeError):
        raise invalid_cursor() from None
    return str(place)


def invalid_cursor() -> Problem:
    message = _("Use a cursor of this list, in the same order.")
    return invalid_problem([{"field": "cursor", "message": message}])

"""Read your writes: a browser of the staff carries the position up to which it has written.

Each request that may write, one that isn't GET or HEAD, gets a cookie with the primary's position
after it. Lists then come from the primary until the replica has replayed that position. A time
mark ("the primary for five seconds") would need a guess: too short, and the own write is missing
whenever the replica is slower; too long, and the replica has little to do.

The cookie is neither secret nor signed: who changes it only sees their own writes late.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.replica import ALIAS
from project.replica.positions import written_position
from project.replica.watch import FRESH

COOKIE = "tandem_written"
UNKNOWN_POSITION = 2**63 - 1
"""The primary couldn't be asked: no replica has replayed it as long as the cookie lasts."""
READS = ("GET", "HEAD", "OPTIONS", "TRACE")


def cookie_seconds() -> int:
    """Return how long a mark is needed: older writes were replayed, or the replica is left out."""
    return int(settings.REPLICA_LAG_SECONDS + FRESH) + 1


def own_position(request: HttpRequest) -> int:
    """Return the position up to which this browser has written; 0 if nothing says so."""
    text = request.COOKIES.get(COOKIE, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


class OwnWriteMiddleware:
    """Mark the answer to each request by which somebody of the staff may have written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if ALIAS not in settings.DATABASES:
            raise MiddlewareNotUsed
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request)
        if request.method not in READS and getattr(request.user, "is_staff", False):
            try:
                position = written_position()
            except Error:
                position = UNKNOWN_POSITION
            response.set_cookie(
                COOKIE,
                str(position),
                max_age=cookie_seconds(),
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

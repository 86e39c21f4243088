"""Guesses of a code are counted in the database, and no guess is judged beyond the limit.

allauth counts them in the session. Requests that come at once all read the session before one of
them writes it, so there a hundred guesses are one. A slow one can write back an older count.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from project.limits.counters import Count, LimitReachedError, take
from project.limits.known import CODE_GUESSES
from project.limits.rates import Rate

RATE = Rate(3, 15 * 60)
"""Guesses of one code, the right one included, as long as it lives."""

View = Callable[..., HttpResponseBase]


def limited_guesses(view: View) -> View:
    """Lead a guess beyond the limit to the door. It runs before the view's transaction begins."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "code" in request.POST and not may_guess(request):
            text = get_adapter().error_messages["too_many_login_attempts"]
            messages.error(request, text)
            return redirect("account_login")
        return view(request, *args, **kwargs)

    return guarded


def may_guess(request: HttpRequest) -> bool:
    """Count a guess of the code that the session waits for; False if there were enough.

    False as well if it can't be counted in time: many come at once then.
    """
    waiting = [request.session.session_key or "", *sorted(_begun(dict(request.session.items())))]
    # The session's own key opens the session, so operators must not see it.
    key = hashlib.sha256("\n".join(waiting).encode()).hexdigest()[:32]
    try:
        take([Count(CODE_GUESSES, key, RATE)])
    except (LimitReachedError, OperationalError):
        return False
    return True


def _begun(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield when the session's codes were asked for, in seconds since 1970.

    Each of allauth's ways keeps it in a mapping of its own. Not the codes themselves: an address
    without an account has none, and must be answered alike.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _begun(value)
        elif name == "at":
            yield str(value)

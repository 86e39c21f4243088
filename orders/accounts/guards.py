"""Who may come in: whose wrong passwords are counted, and what needs an SMS gateway."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase

MAX_LENGTH = 255
"""What a column of axes holds."""


def username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return whose password is tried: the admin asks for a username, the shop for an e-mail.

    In one spelling: capitals must not open another ten tries.
    """
    values = credentials or request.POST
    for name in ("username", "email", "login"):
        if values.get(name):
            return str(values[name]).strip().lower()[:MAX_LENGTH]
    return ""


def needs_sms(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Hide the view from a shop that can't send SMS."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.SMS_URL:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded

"""Access guards: the username under which wrong passwords are counted, and pages that need SMS."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase

from project.email_addresses import InvalidAddressError, canonical_address

MAX_LENGTH = 255
"""The length of the username column of django-axes."""


def username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the username (admin) or e-mail (shop) of a sign-in, for counting wrong passwords.

    It is in one spelling: another one must not allow ten more attempts.
    """
    values = credentials or request.POST
    for name in ("username", "email", "login"):
        if values.get(name):
            return _one_spelling(str(values[name]))[:MAX_LENGTH]
    return ""


def _one_spelling(typed: str) -> str:
    try:
        return canonical_address(typed).lower()
    except InvalidAddressError:  # an operator's username, or nonsense
        return typed.strip().lower()


def needs_sms(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer 404 if the shop has no SMS gateway."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.SMS_URL:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded

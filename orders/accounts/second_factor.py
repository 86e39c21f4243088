"""The staff's second factor: where it is asked for, and how its secret is stored.

allauth asks for it at each sign-in of a user who has one, also at the desk's (`project.desk.site`).
With `STAFF_SECOND_FACTOR=on` the middleware lets no staff into the desk without one: it leads them
to set it up, or to give it in a session that began without it.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from project.desk.policy import PREFIX
from project.sealing import seal, unseal

PROVED = "second_factor_of"
"""The session's key with the id of the user who has given the second factor in it."""
_PURPOSE = "second factor"


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's adapter: it encrypts, so that a copy of the database holds no second factor."""

    def get_totp_issuer(self) -> str:
        return str(settings.SHOP_NAME)

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt by SECRET_KEY, or by one of SECRET_KEY_FALLBACKS while a key is replaced."""
        return unseal(encrypted_text, purpose=_PURPOSE)


def note_proof(*, request: HttpRequest, user: Any, **_signal: Any) -> None:
    """Note in the session that its user gave the second factor, or has just set it up."""
    request.session[PROVED] = user.pk


class SecondFactorMiddleware:
    """Let staff into the desk with a second factor only, if the setting says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_asked = settings.STAFF_SECOND_FACTOR and _is_desk(request.path_info)
        if is_asked and (wanted := _missing(request)):
            query = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
            return HttpResponseRedirect(f"{reverse(wanted)}?{query}")
        return self.get_response(request)


def _is_desk(path: str) -> bool:
    return path.startswith(PREFIX) and path != reverse("admin:logout")


def _missing(request: HttpRequest) -> str:
    """Return the name of the page that the user needs first; empty if none."""
    user = request.user
    if not (user.is_authenticated and user.is_staff):
        return ""  # the desk's own sign-in comes first
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        return "mfa_activate_totp"
    return "" if request.session.get(PROVED) == user.pk else "mfa_reauthenticate"

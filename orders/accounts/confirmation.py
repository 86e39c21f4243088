"""A code to the account's address before a step that can't be undone, or that hands out data.

A session that somebody left open, or a stolen cookie, isn't enough for it. The session keeps an
HMAC of the code, how often it was tried, and until when the step may be taken.
"""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import get_language

from notifications.events import CODE_VALID_FOR
from notifications.outbox import account_message
from orders.models import User

MOST_TRIES = 3
CONFIRMED_FOR = 15 * 60
"""Seconds for which a confirmation counts."""
_CODE, _CONFIRMED = "confirmation_code", "confirmed_until"


def send_code(request: HttpRequest, user: User) -> None:
    """Send a new code to the account's address; one from before no longer counts."""
    code = get_adapter().generate_login_code()
    account_message(
        event="confirmation_code",
        recipient=user.email,
        language=get_language() or "en",
        context={"code": code},
    ).save(force_insert=True)
    until = time.time() + CODE_VALID_FOR.total_seconds()
    request.session[_CODE] = {"hmac": _hmac(user, code), "until": until, "tries": 0}


def has_code(request: HttpRequest) -> bool:
    """Tell whether a code is on its way that may still be tried."""
    sent: dict[str, Any] = request.session.get(_CODE) or {"until": 0}
    return sent["until"] > time.time() and sent["tries"] < MOST_TRIES


def try_code(request: HttpRequest, user: User, code: str) -> bool:
    """Tell whether this is the code, which then counts no more; each try is counted."""
    if not has_code(request):
        return False
    sent = request.session[_CODE]
    if not constant_time_compare(sent["hmac"], _hmac(user, code)):
        request.session[_CODE] = sent | {"tries": sent["tries"] + 1}
        return False
    del request.session[_CODE]
    request.session[_CONFIRMED] = {"user": user.pk, "until": time.time() + CONFIRMED_FOR}
    return True


def is_confirmed(request: HttpRequest, user: User) -> bool:
    """Tell whether the user gave a code in this session lately."""
    confirmed: dict[str, Any] = request.session.get(_CONFIRMED) or {"user": None}
    return confirmed["user"] == user.pk and confirmed["until"] > time.time()


def _hmac(user: User, code: str) -> str:
    return salted_hmac("confirmation code", f"{user.pk} {code}", algorithm="sha256").hexdigest()

"""Unsubscribing from a kind of message by the link in it, without signing in.

The link holds the user and the event, signed. It doesn't expire: the link in an old e-mail must
work too, and the settings can undo its effect. Mail programs POST to it by themselves (RFC 8058).
"""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from notifications.events import EVENTS
from orders.models import User

ANNOUNCEMENT = "announcement"
SALT = "orders.accounts.unsubscribe"


def unsubscribe_url(*, user_id: int, event: str) -> str:
    """Return the link that switches the event off for the user."""
    token = signing.Signer(salt=SALT).sign_object([user_id, event])
    return settings.SITE_URL + reverse("unsubscribe", args=[token])


def read_token(token: str) -> tuple[int, str] | None:
    """Return the link's user and event; None if its signature is wrong or the event is required."""
    try:
        user_id, event = signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    known = EVENTS.get(event)
    return (user_id, event) if known and known.may_opt_out else None


def reader_of(url: str) -> int | None:
    """Return the user whose link this is, as a message carries it; None if it isn't one of ours."""
    token = url.rstrip("/").rpartition("/")[2]
    found = read_token(token) if token else None
    return found[0] if found else None


def unsubscribe(*, user_id: int, event: str) -> None:
    """Switch the event off for the user. A repeat, or a deleted user, changes nothing."""
    with transaction.atomic():
        users = User.objects.filter(pk=user_id)
        user = users.select_for_update(no_key=True).first()
        if user is None:
            return
        if event == ANNOUNCEMENT:
            users.update(wants_announcements=False)
        elif event not in user.muted_events:
            users.update(muted_events=[*user.muted_events, event])

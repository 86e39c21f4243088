"""The platforms that agents come from, and their profiles: who they are, and what they can.

A profile is fetched when its platform first comes, and again when it is `FRESH` no longer. A
platform that the shop knows (`manage.py ucp_platform`) isn't fetched at all.
"""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from orders.agents.errors import ProtocolError
from orders.agents.guarded_fetch import BadAddress, Unreachable, checked, fetch
from orders.agents.local_platforms import local_platforms
from orders.models import AgentPlatform
from project.database.clock import database_now

FRESH = timedelta(minutes=10)
"""For so long a fetched profile counts; the protocol wants a minute at least."""
RESTS = timedelta(seconds=30)
"""A profile that can't be read isn't asked for again so soon."""
USED = timedelta(hours=1)
"""`used_at` is as exact as this: a row isn't written on each request."""
KEEP = timedelta(days=90)
LONGEST_URL = 500


def platform_of(profile_url: str) -> AgentPlatform:
    """Return the platform with a valid, fresh profile. Raises ProtocolError."""
    _check_length(profile_url)
    if settings.TANDEM_LOCAL and (local := local_platforms().get(profile_url)):
        return _local(profile_url, *local)
    platform = AgentPlatform.objects.filter(profile_url=profile_url).first()
    if platform is None or not platform.is_known:
        _check_address(profile_url)
        platform = _with_profile(profile_url, platform)
    if platform.used_at < database_now() - USED:
        AgentPlatform.objects.filter(pk=platform.pk).update(used_at=Now())
    return platform


def know(profile_url: str, document: dict[str, Any], *, contact_email: str = "") -> AgentPlatform:
    """Let the shop know a platform by this document. Raises ProtocolError for one that isn't.

    Its address is one that could be fetched, though it isn't: no agent may name another.
    """
    _check_length(profile_url)
    _check_address(profile_url)
    check_document(document)
    known = {"document": document, "is_known": True, "contact_email": contact_email}
    platform, _is_new = AgentPlatform.objects.update_or_create(
        profile_url=profile_url, defaults=known
    )
    return platform


def read_again(platform: AgentPlatform) -> bool:
    """Read the profile before its time is over, for a key that it lacks; False: it stays as it is.

    That is where it is known, was asked for a moment ago, or can't be read: it counts on then.
    """
    due = AgentPlatform.objects.filter(pk=platform.pk, is_known=False, fetched_at__lt=Now() - RESTS)
    if not due.update(fetched_at=Now()):  # one request asks, however many come
        return False
    try:
        document = _fetched(platform.profile_url)
    except ProtocolError:
        return False
    _keep(platform.profile_url, document)
    return True


def _check_length(profile_url: str) -> None:
    if len(profile_url) > LONGEST_URL or "\x00" in profile_url:
        raise _invalid("It is too long.")


def _check_address(profile_url: str) -> None:
    try:
        checked(profile_url)
    except BadAddress as error:
        raise _invalid(str(error)) from error


def forgotten_platforms() -> QuerySet[AgentPlatform]:
    """Return those that haven't come for long and whose checkouts are gone.

    One that is blocked stays: forgotten, it would be let in.
    """
    old = AgentPlatform.objects.filter(is_known=False, blocked_at=None, used_at__lt=Now() - KEEP)
    return old.filter(Q(checkouts=None), Q(carts=None))


def check_document(document: Any) -> dict[str, Any]:
    """Return the profile's `ucp` member. Raises ProtocolError for what is no profile."""
    profile = document.get("ucp", document) if isinstance(document, dict) else None
    if not isinstance(profile, dict) or not isinstance(profile.get("version"), str):
        raise _malformed("It has no version.")
    capabilities = profile.get("capabilities", {})
    if not isinstance(capabilities, dict) or not all(
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
        for entries in capabilities.values()
    ):
        raise _malformed("Its capabilities are no registry.")
    keys = document.get("signing_keys", [])
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise _malformed("Its signing_keys are no list of keys.")
    return profile


def _local(profile_url: str, document: Any, contact_email: str) -> AgentPlatform:
    """Return a platform that only a local run knows. Raises ProtocolError."""
    platform = AgentPlatform.objects.filter(profile_url=profile_url).first()
    if platform is None or platform.document != document:
        return know(profile_url, document, contact_email=contact_email)
    return platform


def _with_profile(profile_url: str, platform: AgentPlatform | None) -> AgentPlatform:
    now = database_now()
    if platform is not None and platform.fetched_at is not None:
        age = now - platform.fetched_at
        if platform.document and age < FRESH:
            return platform
        if not platform.document and age < RESTS:
            raise _unreachable("It couldn't be read a moment ago.")
    try:
        document = _fetched(profile_url)
    except ProtocolError:
        _keep(profile_url, {})
        raise
    return _keep(profile_url, document)


def _fetched(profile_url: str) -> dict[str, Any]:
    """Return the profile as it is now. Raises ProtocolError."""
    if not connection.in_atomic_block:
        connection.close()  # the platform may take seconds: others have the connection meanwhile
    try:
        body = fetch(profile_url)
    except BadAddress as error:
        raise _invalid(str(error)) from error
    except Unreachable as error:
        raise _unreachable(str(error)) from error
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise _malformed("It isn't JSON.") from error
    check_document(document)
    return dict(document)


def _keep(profile_url: str, document: dict[str, Any]) -> AgentPlatform:
    """Keep what was read; nothing, after a failure, so that it isn't asked for at once.

    What an operator has given the shop meanwhile stays: it is never fetched again.
    """
    read = {"document": document, "fetched_at": Now()}
    platform, is_new = AgentPlatform.objects.get_or_create(profile_url=profile_url, defaults=read)
    if not is_new:
        AgentPlatform.objects.filter(pk=platform.pk, is_known=False).update(**read)
    platform.refresh_from_db()
    return platform


def _invalid(why: str) -> ProtocolError:
    return ProtocolError(400, "invalid_profile_url", f"The profile can't be used. {why}")


def _unreachable(why: str) -> ProtocolError:
    return ProtocolError(424, "profile_unreachable", f"The profile can't be read. {why}")


def _malformed(why: str) -> ProtocolError:
    return ProtocolError(422, "profile_malformed", f"The profile isn't one. {why}")

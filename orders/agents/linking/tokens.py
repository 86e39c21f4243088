"""Codes for tokens, tokens for the person who gave them, and their end."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from orders.agents.linking.authorizing import hashed, known_client, same_uri
from orders.models import AgentClient, AgentLink
from project.database.clock import database_now

ACCESS_LIVES = timedelta(hours=1)
REFRESH_LIVES = timedelta(days=30)
KEEP = timedelta(days=60)
USED = timedelta(hours=1)
"""A link's `used_at` is as exact as this: its row isn't written on each request."""


@dataclass
class TokenError(Exception):
    """The answer of the token address (RFC 6749 5.2)."""

    error: str
    status: int = 400


def client_of(fields: Mapping[str, str], authorization: str) -> AgentClient:
    """Return the client that asks, by its secret if it has one. Raises TokenError."""
    client_id, secret = fields.get("client_id", ""), fields.get("client_secret", "")
    if authorization[:6].lower() == "basic ":
        try:
            client_id, _colon, secret = (
                base64.b64decode(authorization[6:], validate=True).decode().partition(":")
            )
        except ValueError:
            raise TokenError("invalid_client", 401) from None
    client = known_client(client_id)
    given = hashed(secret) if secret else ""
    if client is None or not hmac.compare_digest(given, client.secret_hash):
        raise TokenError("invalid_client", 401)
    return client


def tokens_for(client: AgentClient, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the tokens for a code or for a refresh token, each of which counts once.

    One that comes again is in two hands: all tokens that came from it end (RFC 6749 4.1.2 and
    RFC 9700 4.14.2). Raises TokenError.
    """
    match fields.get("grant_type"):
        case "authorization_code":
            return _redeem(client, fields)
        case "refresh_token":
            return _refresh(client, fields.get("refresh_token", ""))
        case _:
            raise TokenError("unsupported_grant_type")


def revoke(client: AgentClient, token: str) -> None:
    """End the link that the client's token is of: access and refresh token (RFC 7009)."""
    is_its = Q(access_hash=hashed(token)) | Q(refresh_hash=hashed(token))
    AgentLink.objects.filter(is_its, client=client, ended_at=None).update(ended_at=Now())


def link_of(token: str) -> AgentLink | None:
    """Return the link whose access token this is; None if it isn't valid (any more)."""
    valid = AgentLink.objects.filter(
        access_hash=hashed(token), access_until__gt=Now(), ended_at=None, user__is_active=True
    )
    link = valid.select_related("client", "user").first()
    if link is not None and (link.used_at is None or link.used_at < database_now() - USED):
        AgentLink.objects.filter(pk=link.pk).update(used_at=Now())
    return link


def live_links() -> QuerySet[AgentLink]:
    """Return the links by which something can be read."""
    return AgentLink.objects.filter(ended_at=None, refresh_until__gt=Now())


def end_links(*, user_id: int, client_id: int) -> int:
    """End what the person has allowed the client; return how many links that were.

    A code that isn't redeemed yet ends, too: else it became a link after its end.
    """
    mine = AgentLink.objects.filter(user=user_id, client=client_id, ended_at=None)
    usable = Q(refresh_until__gt=Now()) | Q(refresh_until=None, code_until__gt=Now())
    return mine.filter(usable).update(ended_at=Now())


def old_links() -> QuerySet[AgentLink]:
    """Return those that nobody can use any more."""
    is_over = Q(ended_at__lt=Now() - KEEP) | Q(refresh_until__lt=Now() - KEEP)
    return AgentLink.objects.filter(
        is_over | Q(refresh_until=None, linked_at__lt=Now() - KEEP), linked_at__lt=Now() - KEEP
    )


def _redeem(client: AgentClient, fields: Mapping[str, str]) -> dict[str, Any]:
    code_hash = hashed(fields.get("code", ""))
    given = AgentLink.objects.filter(client=client, code_hash=code_hash, ended_at=None)
    _end(given.exclude(access_hash=""))
    link = given.filter(code_until__gt=Now(), access_hash="").first()
    if link is None or not same_uri(fields.get("redirect_uri", ""), link.redirect_uri):
        raise TokenError("invalid_grant")
    digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(challenge, link.challenge):
        raise TokenError("invalid_grant")
    return _issue(link)


def _refresh(client: AgentClient, token: str) -> dict[str, Any]:
    theirs = AgentLink.objects.filter(client=client, ended_at=None)
    link = theirs.filter(refresh_hash=hashed(token), refresh_until__gt=Now()).first()
    if link is not None:
        return _issue(link)
    try:
        link_id, _dot, _random = _signer().unsign(token).partition("~")
    except BadSignature:
        raise TokenError("invalid_grant") from None
    _end(theirs.filter(pk=UUID(link_id)))  # the shop gave it, and it has counted already
    raise TokenError("invalid_grant")


def _end(links: QuerySet[AgentLink]) -> None:
    links.update(ended_at=Now())


def _signer() -> Signer:
    """Return the signer of refresh tokens, by which the shop knows those that it gave before."""
    return Signer(salt="ucp refresh token", sep=".")


def _issue(link: AgentLink) -> dict[str, Any]:
    """Give new tokens in place of those that it has, if any: one caller wins, two end the link."""
    access = secrets.token_urlsafe(32)
    refresh = _signer().sign(f"{link.pk.hex}~{secrets.token_urlsafe(32)}")
    now = database_now()
    this = AgentLink.objects.filter(pk=link.pk, ended_at=None)
    won = this.filter(access_hash=link.access_hash, refresh_hash=link.refresh_hash).update(
        access_hash=hashed(access),
        access_until=now + ACCESS_LIVES,
        refresh_hash=hashed(refresh),
        refresh_until=now + REFRESH_LIVES,
    )
    if not won:
        _end(this)
        raise TokenError("invalid_grant")
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_LIVES.total_seconds()),
        "refresh_token": refresh,
        "scope": " ".join(link.scopes),
    }

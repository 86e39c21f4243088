"""The programs of platforms that may ask people to link their accounts: made by `ucp_client`."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from orders.agents.linking.authorizing import LOOPBACK, hashed
from orders.agents.platforms import platform_of
from orders.models import AgentClient

LONGEST_NAME, LONGEST_URI = 100, 500


class BadClientError(ValueError):
    """The client can't be made; the text says why."""


@dataclass(frozen=True)
class NewClient:
    """A client that was just made: the only time that its secret is known."""

    client: AgentClient
    secret: str
    """Empty: a public client, which proves itself by PKCE alone."""


def register_client(
    *, name: str, profile_url: str, redirect_uris: Sequence[str], is_public: bool
) -> NewClient:
    """Let a program of the platform ask people. Raises BadClientError and ProtocolError."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadClientError(f"The name has 1 to {LONGEST_NAME} characters.")
    for uri in redirect_uris:
        _check(uri)
    secret = "" if is_public else secrets.token_urlsafe(32)
    client = AgentClient.objects.create(
        client_id=secrets.token_urlsafe(12),
        platform=platform_of(profile_url),
        name=name,
        secret_hash=hashed(secret) if secret else "",
        redirect_uris=list(redirect_uris),
    )
    return NewClient(client, secret)


def _check(uri: str) -> None:
    """Raise BadClientError for an address to which no code may go (RFC 6749 3.1.2, RFC 8252)."""
    try:
        parts = urlsplit(uri)
        is_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
        is_right = parts.hostname and not parts.username and not parts.fragment and parts.port != 0
    except ValueError:
        is_right = is_loopback = False
    if len(uri) > LONGEST_URI or not is_right or not (parts.scheme == "https" or is_loopback):
        raise BadClientError(
            f"{uri}: a return address is https, without fragment and password, or http at"
            f" 127.0.0.1 or [::1], and has {LONGEST_URI} characters at most."
        )

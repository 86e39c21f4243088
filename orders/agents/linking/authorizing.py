"""What a platform asks of a person: checked before anybody is asked, and answered by a code."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models.functions import Now

from orders.agents.linking.scopes import SCOPES
from orders.models import AgentClient, AgentLink, User
from project.database.clock import database_now

CODE_LIVES = timedelta(minutes=1)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LOOPBACK = ("127.0.0.1", "::1")


class NoSuchClient(Exception):
    """Nobody knows where to send the answer: the person is told here."""


@dataclass
class Refused(Exception):
    """The platform is told, at `address`."""

    address: str


@dataclass(frozen=True)
class Asked:
    """A valid request of a platform."""

    client: AgentClient
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    state: str

    @property
    def origin(self) -> str:
        """The origin of `redirect_uri`, as a source of a Content-Security-Policy."""
        parts = urlsplit(self.redirect_uri)
        if ":" in (parts.hostname or ""):
            return f"{parts.scheme}:"  # a policy has no word for IPv6 addresses
        host = (parts.hostname or "").encode("idna").decode()
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    def answer(self, **parameters: str) -> str:
        """Return the address at which the platform reads the answer (RFC 9207: with `iss`)."""
        state = {"state": self.state} if self.state else {}
        query = urlencode({**parameters, **state, "iss": settings.SITE_URL})
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


def read_asked(query: Mapping[str, str]) -> Asked:
    """Return what is asked. Raises NoSuchClient and Refused."""
    client = known_client(query.get("client_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    if client is None or not any(same_uri(redirect_uri, one) for one in client.redirect_uris):
        raise NoSuchClient
    asked = Asked(
        client=client,
        redirect_uri=redirect_uri,
        scopes=tuple(dict.fromkeys(query.get("scope", "").split())),
        challenge=query.get("code_challenge", ""),
        state=query.get("state", ""),  # it comes back as it was, whatever its length (RFC 6749)
    )
    if query.get("response_type") != "code":
        raise Refused(asked.answer(error="unsupported_response_type"))
    is_s256 = query.get("code_challenge_method") == "S256"
    if not is_s256 or not _CHALLENGE.fullmatch(asked.challenge):
        raise Refused(asked.answer(error="invalid_request"))
    if not asked.scopes or not set(asked.scopes) <= SCOPES.keys():
        raise Refused(asked.answer(error="invalid_scope"))
    return asked


def known_client(client_id: str) -> AgentClient | None:
    """Return the client with this id; None for any text that is none's."""
    if "\x00" in client_id:  # PostgreSQL refuses it
        return None
    return AgentClient.objects.filter(client_id=client_id).first()


def has_consented(user: User, asked: Asked) -> bool:
    """Tell whether the person has allowed the platform all of it already."""
    links = AgentLink.objects.filter(client=asked.client, user=user, ended_at=None)
    return links.filter(scopes__contains=list(asked.scopes), refresh_until__gt=Now()).exists()


def grant(user: User, asked: Asked) -> str:
    """Enter the consent; return the address at which the platform gets its code."""
    code = secrets.token_urlsafe(32)
    AgentLink.objects.create(
        client=asked.client,
        user=user,
        scopes=list(asked.scopes),
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        code_hash=hashed(code),
        code_until=database_now() + CODE_LIVES,
    )
    return asked.answer(code=code)


def same_uri(sent: str, registered: str) -> bool:
    """Tell whether the addresses are the same, to the byte.

    The port of a loopback address is left out: a program on the person's machine gets it from the
    system (RFC 8252 7.3).
    """
    if sent == registered:
        return True
    try:
        one, other = urlsplit(sent), urlsplit(registered)
        if one.hostname not in LOOPBACK or one.port is None:
            return False
    except ValueError:
        return False
    parts = [(each.scheme, each.hostname, each.path, each.query) for each in (one, other)]
    return one.scheme == "http" and parts[0] == parts[1] and one.username is None


def hashed(secret: str) -> str:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()

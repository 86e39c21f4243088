"""Who asks, and what both sides can: the platform's profile, its version and its capabilities."""

from dataclasses import dataclass
from typing import Any, cast

import http_sf

from orders.agents.errors import Outcome, ProtocolError
from orders.agents.platforms import check_document, platform_of
from orders.agents.versions import CAPABILITIES, VERSION
from orders.models import AgentLink, AgentPlatform


@dataclass(frozen=True)
class Session:
    """One request's platform, and what is active between it and the shop."""

    platform: AgentPlatform
    active: frozenset[str]
    counted_address: str = ""
    """The client's address, as limits count it."""
    link: AgentLink | None = None
    """The consent whose token the request has."""
    is_repeat: bool = False
    """A request under its key was begun before, and its answer isn't known: perhaps it is done."""

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The platform's public keys."""
        keys: list[dict[str, Any]] = self.platform.document.get("signing_keys", [])
        return keys

    def relevant(self, *roots: str) -> list[str]:
        """Return the active capabilities that an answer of these root capabilities has."""
        return [
            name
            for name in self.active
            if name in roots or set(CAPABILITIES[name].extends) & set(roots)
        ]

    def need(self, root: str) -> None:
        """Raise Outcome unless the platform has the capability that the operation needs."""
        if root not in self.active:
            raise Outcome(
                "capabilities_incompatible",
                f"The platform's profile has no {root} of version {VERSION}.",
            )


def profile_url_of(header: str) -> tuple[str, str]:
    """Return profile and version of the header UCP-Agent (RFC 8941). Raises ProtocolError."""
    try:
        parsed = cast("dict[str, Any]", http_sf.parse(header.encode(), tltype="dictionary"))
        profile, parameters = parsed["profile"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError(
            400, "invalid_profile_url", 'Send UCP-Agent: profile="https://…" with each request.'
        ) from error
    if not isinstance(profile, str):
        raise ProtocolError(400, "invalid_profile_url", "The profile must be a quoted string.")
    version = parameters.get("version") or _second(parsed)
    return profile, str(version or "")


def _second(parsed: dict[str, Any]) -> Any:
    return parsed["version"][0] if "version" in parsed else ""


def negotiate(profile_url: str, *, version: str = "", counted_address: str = "") -> Session:
    """Return the session with this platform. Raises ProtocolError.

    `version` is the one that the request names besides the profile; empty: none.
    """
    platform = platform_of(profile_url)
    profile = check_document(platform.document)
    for spoken in filter(None, (profile["version"], version)):
        if spoken != VERSION:
            raise ProtocolError(
                422,
                "version_unsupported",
                f"Version {spoken[:20]} isn't supported. This shop speaks {VERSION}.",
            )
    return Session(platform, active_among(profile.get("capabilities", {})), counted_address)


def active_among(theirs: dict[str, list[dict[str, Any]]]) -> frozenset[str]:
    """Return the capabilities that both have in the same version, without orphans.

    An extension is an orphan if none of its parents is among them.
    """
    common = {
        name
        for name in CAPABILITIES
        if any(entry.get("version") == VERSION for entry in theirs.get(name, ()))
    }
    while orphans := {
        name
        for name in common
        if (parents := CAPABILITIES[name].extends) and not common & set(parents)
    }:
        common -= orphans
    return frozenset(common)

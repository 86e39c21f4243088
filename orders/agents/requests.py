"""What both transports read of a request: who asks, by which profile, signed or not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from orders.agents.errors import InvalidInput, NotAllowed, ProtocolError
from orders.agents.linking.tokens import link_of
from orders.agents.negotiation import Session, negotiate
from orders.agents.platforms import read_again
from orders.agents.signing import verify
from orders.agents.versions import LINKING
from orders.models import AgentLink
from project.limits.client_address import counted_address
from project.strict_json import read_json


def body_of(request: HttpRequest) -> bytes:
    """Return the body. Raises ProtocolError."""
    try:
        return request.body
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise ProtocolError(413, "too_large", f"Send at most {most} bytes.") from None


def json_of(request: HttpRequest) -> Any:
    """Return what the body says; None for an empty one. Raises ProtocolError."""
    body = body_of(request)
    if not body:
        return None
    if request.content_type != "application/json":
        raise ProtocolError(415, "unsupported_media_type", "The body must be application/json.")
    try:
        payload = read_json(body)
    except ValueError as error:
        raise InvalidInput(f"The body is not JSON. {error}.") from None
    _refuse_odd(payload)
    return payload


def session_of(request: HttpRequest, profile_url: str, *, version: str = "") -> Session:
    """Return the session with the platform that the request names. Raises ProtocolError.

    A request that has a signature must be signed by the platform.
    """
    address = counted_address(request)
    session = negotiate(profile_url, version=version, counted_address=address)
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    if "signature" in headers or "signature-input" in headers:
        try:
            _verify(request, session, headers)
        except ProtocolError as refusal:  # the platform may have a new key since
            if refusal.code != "key_not_found" or not read_again(session.platform):
                raise
            session = negotiate(profile_url, version=version, counted_address=address)
            _verify(request, session, headers)
    scheme, _space, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and LINKING in session.active:
        return replace(session, link=_link(token.strip(), session))
    return session


def _link(token: str, session: Session) -> AgentLink:
    """Return the consent of the token, which must be this platform's. Raises NotAllowed."""
    link = link_of(token)
    if link is None or link.client.platform_id != session.platform.pk:
        raise NotAllowed(
            401,
            "identity_required",
            "The token isn't valid.",
            realm=settings.SITE_URL,
            error="invalid_token",
        )
    return link


def _verify(request: HttpRequest, session: Session, headers: Mapping[str, str]) -> None:
    body, query = body_of(request), request.META.get("QUERY_STRING", "")
    needed = ["@method", "@authority", "@path"]
    needed += ["@query"] if query else []
    needed += [name for name in ("ucp-agent", "idempotency-key") if name in headers]
    needed += ["content-digest", "content-type"] if body else []
    verify(
        headers=headers,
        derived={
            "@method": request.method or "",
            "@authority": request.get_host().lower(),
            "@path": request.path,
            "@query": f"?{query}",
        },
        body=body,
        keys=session.keys,
        needed=needed,
    )


def _refuse_odd(value: Any) -> None:
    """Raise InvalidInput for texts that PostgreSQL can't keep, wherever they are."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidInput("Remove the characters that can't be printed.")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_odd(name)
            _refuse_odd(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_odd(member)

"""Signs a request: by Standard Webhooks, or by HTTP Message Signatures (RFC 9421).

Both have `webhook-id`, the same for each copy, and `webhook-timestamp`, of the attempt.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
OVERTAKES = "webhook-overtakes"
"""The id of the earlier delivery that this one didn't wait for."""
COVERED = ("@method", "@authority", "@path", "content-type", ID, TIMESTAMP)
"""What a message's signature covers, besides Content-Digest and what else the request has."""


@dataclass
class Request:
    """A request before it is sent; `http_message_signatures` reads it, too."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


def add_identity(request: Request, *, message_id: str, at: datetime) -> None:
    """Add the headers that name the delivery and the attempt's time."""
    request.headers[ID] = message_id
    request.headers[TIMESTAMP] = str(int(at.timestamp()))


def sign_standard(request: Request, keys: Sequence[bytes]) -> None:
    """Add `webhook-signature` with a `v1` for each key (Standard Webhooks 1.0.0)."""
    signed = f"{request.headers[ID]}.{request.headers[TIMESTAMP]}.".encode() + request.body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    request.headers[SIGNATURE] = " ".join(f"v1,{signature}" for signature in signatures)


def sign_message(request: Request, keys: Sequence[bytes]) -> None:
    """Add Content-Digest (RFC 9530), and a signature for each key (RFC 9421, hmac-sha256)."""
    known = {key_id(key): key for key in keys}
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys=known),
    )
    also = [name for name in (OVERTAKES,) if name in request.headers]
    if "?" in request.url:
        also.append("@query")
    for number, name in enumerate(known):
        signer.sign(
            request,
            key_id=name,
            label=f"sig{number + 1}",
            tag=name,  # by which one of two is chosen: a label isn't signed
            created=datetime.fromtimestamp(int(request.headers[TIMESTAMP]), tz=UTC),
            covered_component_ids=(*COVERED, *also),
            body=request.body,
            use_existing_digest=number > 0,
            append_if_signature_exists=number > 0,
        )


def key_id(key: bytes) -> str:
    """Return the name of a key, by which the other side finds it among its own."""
    return hashlib.sha256(key).hexdigest()[:16]

"""Signatures of RFC 9421, as the protocol's profile of it wants them: ES256, raw r||s, no `alg`.

The shop's key derives from SECRET_KEY, so no other secret has to be kept; the keys of its fallbacks
stay published while they are there, and so does what they signed. A platform's keys are those of
its profile (specification/signatures).
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import http_sf
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from django.conf import settings

from orders.agents.errors import ProtocolError

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (SEC 2, secp256r1): private keys are below it."""
_CURVES: dict[str, tuple[ec.EllipticCurve, Any, int]] = {
    "P-256": (ec.SECP256R1(), SHA256, 32),
    "P-384": (ec.SECP384R1(), SHA384, 48),
}
_LABEL = "sig1"


@dataclass(frozen=True)
class Signature:
    """One member of Signature-Input."""

    label: str
    names: Sequence[str]
    """The covered components."""
    parameters: str
    """The member's value, as it is signed (RFC 9421 2.3)."""
    key_id: str
    expires: int | None


@dataclass(frozen=True)
class Key:
    """A signing key of the shop."""

    private: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517); its id is the thumbprint (RFC 7638)."""
        numbers = self.private.public_key().public_numbers()
        point = {
            "crv": "P-256",
            "kty": "EC",
            "x": _b64(numbers.x.to_bytes(32, "big")),
            "y": _b64(numbers.y.to_bytes(32, "big")),
        }
        digest = hashlib.sha256(json.dumps(point, separators=(",", ":"), sort_keys=True).encode())
        return {"kid": _b64(digest.digest()[:12]), "use": "sig", "alg": "ES256", **point}

    def sign(self, message: bytes) -> bytes:
        """Return r||s, each of 32 bytes."""
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def own_keys() -> list[Key]:
    """Return the shop's keys, the one that signs first."""
    return [_derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@lru_cache(maxsize=8)
def _derived(secret: str) -> Key:
    digest = hmac.digest(secret.encode(), b"ucp signing key", "sha512")
    scalar = int.from_bytes(digest, "big") % (_ORDER - 1) + 1
    return Key(ec.derive_private_key(scalar, ec.SECP256R1()))


def content_digest(body: bytes) -> str:
    """Return the value of Content-Digest (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signed(
    components: Mapping[str, str], *, body: bytes, content_type: str = "application/json"
) -> dict[str, str]:
    """Return the headers that sign these components and the body.

    `components` are derived ones (`@status`, `@method`) and headers in small letters.
    """
    digest = content_digest(body)
    covered = dict(components) | {"content-digest": digest, "content-type": content_type}
    key = own_keys()[0]
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});keyid="{key.jwk["kid"]}"'
    signature = base64.b64encode(key.sign(_base(covered, parameters))).decode()
    return {
        "Content-Digest": digest,
        "Signature-Input": f"{_LABEL}={parameters}",
        "Signature": f"{_LABEL}=:{signature}:",
    }


def verify(
    *,
    headers: Mapping[str, str],
    derived: Mapping[str, str],
    body: bytes,
    keys: Sequence[Mapping[str, Any]],
    needed: Sequence[str],
) -> None:
    """Check a signed request against the keys of the platform's profile. Raises ProtocolError.

    `headers` are in small letters; `needed` are the components that must be covered. Of several
    signatures one is enough (RFC 9421 4.2): a platform that replaces its key signs by both, and a
    proxy may add its own.
    """
    if not headers.get("signature") or not headers.get("signature-input"):
        raise ProtocolError(401, "signature_missing", "Signature and Signature-Input go together.")
    refusals: list[ProtocolError] = []
    for signature in _signatures(headers["signature-input"]):
        try:
            _verify(signature, headers, derived, body, keys, needed)
        except ProtocolError as refusal:
            refusals.append(refusal)
        else:
            return
    raise refusals[0]


def _verify(
    signature: Signature,
    headers: Mapping[str, str],
    derived: Mapping[str, str],
    body: bytes,
    keys: Sequence[Mapping[str, Any]],
    needed: Sequence[str],
) -> None:
    names, key_id = signature.names, signature.key_id
    if missing := [name for name in needed if name not in names]:
        raise ProtocolError(401, "signature_invalid", f"It doesn't cover {', '.join(missing)}.")
    jwk = next((one for one in keys if one.get("kid") == key_id), None)
    if jwk is None:
        raise ProtocolError(401, "key_not_found", f"The profile has no key {key_id!r}.")
    if signature.expires is not None and signature.expires < time.time():
        raise ProtocolError(401, "signature_invalid", "It has expired.")
    if jwk.get("kty") != "EC" or jwk.get("crv") not in _CURVES:
        raise ProtocolError(400, "algorithm_unsupported", "Sign with ES256 or ES384.")
    if "content-digest" in names and headers.get("content-digest") != content_digest(body):
        raise ProtocolError(400, "digest_mismatch", "Content-Digest isn't that of the body.")
    values = {name: derived.get(name, headers.get(name, "")) for name in names}
    message = _base(values, signature.parameters)
    if not _is_valid(jwk, message, headers["signature"], signature.label):
        raise ProtocolError(401, "signature_invalid", f"It isn't the signature of key {key_id!r}.")


def _signatures(header: str) -> list[Signature]:
    """Return the members of Signature-Input, one at least. Raises ProtocolError."""
    try:
        parsed = cast("dict[str, Any]", http_sf.parse(header.encode(), tltype="dictionary"))
        found = [_signature(label, member) for label, member in parsed.items()]
    except (ValueError, KeyError, TypeError) as error:
        raise ProtocolError(401, "signature_invalid", "Signature-Input can't be read.") from error
    if not found:
        raise ProtocolError(401, "signature_invalid", "Signature-Input is empty.")
    return found


def _signature(label: str, member: Any) -> Signature:
    items, parameters = member
    names = [str(name) for name, _parameters in items]
    text = http_sf.ser({label: member}).removeprefix(f"{label}=")
    expires = parameters.get("expires")
    if expires is not None:
        expires = int(expires)
    return Signature(label, names, text, str(parameters["keyid"]), expires)


def _is_valid(jwk: Mapping[str, Any], message: bytes, header: str, label: str) -> bool:
    curve, digest, size = _CURVES[jwk["crv"]]
    try:
        parsed = cast("dict[str, Any]", http_sf.parse(header.encode(), tltype="dictionary"))
        signature = parsed[label][0]
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(_unb64(jwk["x"]), "big"), int.from_bytes(_unb64(jwk["y"]), "big"), curve
        )
        if len(signature) != 2 * size:
            return False
        r = int.from_bytes(signature[:size], "big")
        s = int.from_bytes(signature[size:], "big")
        numbers.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(digest()))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return False
    return True


def _base(values: Mapping[str, str], parameters: str) -> bytes:
    """Return what is signed (RFC 9421 2.5)."""
    lines = [f'"{name}": {value}' for name, value in values.items()]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

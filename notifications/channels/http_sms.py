"""SMS by any gateway that takes a JSON POST: `{"to": "+49…", "text": "…"}` at its URL.

`Idempotency-Key` is the job's id: a gateway that honours it sends a repeated message once. The
URL of one that doesn't ends in `#no-keys`; it gets no second request when the first one may have
been accepted. `https://user:password@…` is sent as basic authentication.
"""

import json
from base64 import b64encode
from urllib.parse import SplitResult, unquote, urlsplit

from notifications.channels import http
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    ProviderDownError,
    Receipt,
)
from project.jobs.errors import PermanentError

NO_KEYS = "no-keys"
BUSY = frozenset({408, 425, 429})
# A proxy in front of the gateway lost it after passing the request on.
LOST_BEHIND_PROXY = frozenset({502, 504})


def repeats_are_safe(url: str) -> bool:
    """Tell whether the gateway recognises a second request by its key."""
    return urlsplit(url).fragment != NO_KEYS


def send(message: Message, *, url: str, deadline: Deadline) -> Receipt:
    """Send the SMS to the gateway and return its answer.

    Raises PermanentError or ProviderDownError with the gateway's answer, or NoAnswerError.
    """
    parts = urlsplit(url)
    answer = http.post(
        parts,
        target=_target(parts),
        body=json.dumps({"to": message.recipient, "text": message.text}).encode(),
        headers=_headers(parts, message),
        deadline=deadline,
    )
    if 200 <= answer.status <= 299:
        return Receipt(provider_id=_provider_id(answer.body), answer=answer.words)
    if answer.status in LOST_BEHIND_PROXY:
        raise NoAnswerError(answer.words)
    if answer.status in BUSY or answer.status >= 500:
        raise ProviderDownError(answer.words)
    raise PermanentError(answer.words)


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _headers(url: SplitResult, message: Message) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "Tandem",
        "Idempotency-Key": str(message.id),
    }
    if url.username:
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    return headers


def _provider_id(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    found = answer.get("id") if isinstance(answer, dict) else None
    return str(found)[:200] if isinstance(found, str | int) else ""

"""The kinds of endpoints: each makes its payloads and signs its requests.

People make endpoints of the kind `shop` at the desk. A protocol that wants another payload or other
signatures registers a kind of its own; queue, order, pauses and log stay the same.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifications.models import MADE_BY_SHOP, WebhookDelivery, WebhookEndpoint
from notifications.webhooks import signing
from notifications.webhooks.endpoint_secrets import signing_keys
from notifications.webhooks.signing import Request


@dataclass(frozen=True)
class EndpointKind:
    """What is peculiar to a kind."""

    payload: Callable[[WebhookDelivery], dict[str, Any]]
    """Returns the JSON to send. It is called once, at the first attempt, outside a transaction."""
    sign: Callable[[WebhookEndpoint, Request, datetime], None]
    """Adds the signature's headers, at the given time. The identity's headers are there."""


def _frozen(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return the event as it was queued: `type`, `timestamp`, `data`."""
    context: dict[str, Any] = delivery.context
    return {name: context[name] for name in ("type", "timestamp", "data")}


def _sign(endpoint: WebhookEndpoint, request: Request, now: datetime) -> None:
    by = {
        WebhookEndpoint.Signature.STANDARD.value: signing.sign_standard,
        WebhookEndpoint.Signature.MESSAGE.value: signing.sign_message,
    }
    by[endpoint.signature](request, signing_keys(endpoint, now=now))


KINDS = {MADE_BY_SHOP: EndpointKind(payload=_frozen, sign=_sign)}


def register_kind(name: str, kind: EndpointKind) -> None:
    """Add a kind; `AppConfig.ready` of the app that has it calls this."""
    KINDS[name] = kind


def body_of(delivery: WebhookDelivery) -> str:
    """Return what to send, as compact JSON."""
    payload = KINDS[delivery.endpoint.kind].payload(delivery)
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))

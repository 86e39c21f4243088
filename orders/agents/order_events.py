"""Order events for platforms: where they go, what they say, and how they are signed.

An event is the whole order as it is now (order.md, Events). Delivering it, in order and until it is
taken, is the work of the shop's webhooks: this module makes what they send.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import reverse

from orders.agents.envelope import site
from orders.agents.guarded_fetch import BadAddress, checked
from orders.agents.negotiation import active_among
from orders.agents.order_entity import order_entity
from orders.agents.platforms import check_document
from orders.agents.signing import signed
from orders.agents.versions import ORDER
from orders.models import AgentCheckout, AgentPlatform, Order


def event_address(platform: AgentPlatform) -> str:
    """Return the address that the platform's profile names for events; empty: it wants none."""
    capabilities = check_document(platform.document).get("capabilities", {})
    if ORDER not in active_among(capabilities):
        return ""
    for entry in capabilities[ORDER]:
        config = entry.get("config")
        address = config.get("webhook_url") if isinstance(config, Mapping) else None
        if isinstance(address, str):
            try:
                return checked(address).geturl()
            except BadAddress:
                continue
    return ""


def event_body(order: Order) -> dict[str, Any] | None:
    """Return what an event says of the order; None for one that no agent has placed."""
    checkout = AgentCheckout.objects.filter(order_id=order.pk).first()
    if checkout is None:
        return None
    return order_entity(order, checkout_id=str(checkout.pk), active=[ORDER])


def event_headers(*, address: str, body: bytes, event_id: UUID, at: datetime) -> dict[str, str]:
    """Return the headers of one event, signed by the shop's key; each try has the same id.

    Identity by Standard Webhooks, signature by RFC 9421 (order.md, Webhook Signature Verification).
    """
    parts = urlsplit(address)
    headers = {
        "UCP-Agent": f'profile="{site(reverse("ucp-profile"))}"',
        "Idempotency-Key": str(event_id),
        "Webhook-Id": str(event_id),
        "Webhook-Timestamp": str(int(at.timestamp())),
    }
    components = {
        "@method": "POST",
        "@authority": parts.netloc.lower(),
        "@path": parts.path or "/",
        **({"@query": f"?{parts.query}"} if parts.query else {}),
        **{name.lower(): value for name, value in headers.items()},
    }
    return {
        **headers,
        "Content-Type": "application/json",
        **signed(components, body=body),
    }

"""Order events for platforms: where they go, what they say, and how they are signed.

An event is the whole order as it is now (order.md, Events). The shop's webhooks deliver it, in
order and until it is taken: an endpoint of the kind `ucp` for each address.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.urls import reverse

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.endpoint_secrets import new_secret, sealed
from notifications.webhooks.signing import ID, TIMESTAMP, Request
from orders.agents.envelope import site
from orders.agents.guarded_fetch import BadAddress, checked
from orders.agents.negotiation import active_among
from orders.agents.order_entity import order_entity
from orders.agents.platforms import check_document
from orders.agents.signing import signed
from orders.agents.versions import ORDER
from orders.models import AgentCheckout, AgentPlatform, Order

EVENTS_KIND = "ucp"


def events_endpoint(platform: AgentPlatform) -> WebhookEndpoint | None:
    """Return the endpoint to which the platform's order events go; None if it wants none.

    It listens to no event by itself: each order names it (`orders.placing.agent_events`).
    """
    address = event_address(platform)
    if not address:
        return None
    return known_endpoint(address) or WebhookEndpoint.objects.create(
        kind=EVENTS_KIND,
        url=address,
        name=platform.profile_url[:80],
        events=[],
        secret=sealed(new_secret()),  # of no use here: the shop's published key signs
    )


def known_endpoint(address: str) -> WebhookEndpoint | None:
    """Return the endpoint of this address; None before its platform's first order."""
    return WebhookEndpoint.objects.filter(kind=EVENTS_KIND, url=address).first()


def event_address(platform: AgentPlatform) -> str:
    """Return the address that the platform's profile names for events; empty: it wants none."""
    capabilities = check_document(platform.document).get("capabilities", {})
    if ORDER not in active_among(capabilities):
        return ""
    for entry in capabilities[ORDER]:
        config = entry.get("config")
        address = config.get("webhook_url") if isinstance(config, Mapping) else None
        if isinstance(address, str) and len(address) <= 500:
            try:
                return checked(address).geturl()
            except BadAddress:
                continue
    return ""


def event_payload(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return what the delivery says: the order as it is now."""
    assert delivery.order_id is not None
    order = Order.objects.get(pk=delivery.order_id)
    return event_body(order) or {"id": str(order.pk)}


def event_body(order: Order) -> dict[str, Any] | None:
    """Return what an event says of the order; None for one that no agent has placed."""
    checkout = AgentCheckout.objects.filter(places=order.pk).first()
    if checkout is None:
        return None
    return order_entity(order, checkout_id=str(checkout.pk), active=[ORDER])


def sign_event(endpoint: WebhookEndpoint, request: Request, now: datetime) -> None:
    """Add the headers of an event, signed by the shop's key; each try has the same id.

    Identity by Standard Webhooks, signature by RFC 9421 (order.md, Webhook Signature Verification).
    """
    parts = urlsplit(request.url)
    request.headers["UCP-Agent"] = f'profile="{site(reverse("ucp-profile"))}"'
    request.headers["Idempotency-Key"] = request.headers[ID]
    covered = ("UCP-Agent", "Idempotency-Key", ID, TIMESTAMP)
    components = {
        "@method": request.method,
        "@authority": _authority(parts),
        "@path": parts.path or "/",
        **({"@query": f"?{parts.query}"} if parts.query else {}),
        **{name.lower(): request.headers[name] for name in covered},
    }
    request.headers.update(signed(components, body=request.body))


def _authority(parts: SplitResult) -> str:
    """Return what the receiver reads as `Host`: without the scheme's own port (RFC 9421 2.2.3)."""
    usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.lower().removesuffix(usual).removesuffix(":")

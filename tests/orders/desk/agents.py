"""Platforms, checkouts and links of agents, as their requests leave them: rows alone."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from orders.agents.versions import READ_ORDERS
from orders.models import AgentCheckout, AgentClient, AgentLink, AgentPlatform, Order, User

PROFILE = "https://acme.example/agent"
TOKEN = "tok_5ecret"
"""What an agent sent as the id of its instrument: it may be a token."""


def person(role: str) -> Client:
    """Return the client of somebody with this role."""
    name = role.lower().replace(" ", "-")
    user = User.objects.create_user(name, f"{name}@example.org", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def platform(profile: str = PROFILE, **fields: Any) -> AgentPlatform:
    values: dict[str, Any] = {"document": {"ucp": {"capabilities": {"dev.ucp.shopping.cart": []}}}}
    return AgentPlatform.objects.get_or_create(profile_url=profile, defaults=values | fields)[0]


def wanted(email: str = "ada@example.org", *lines: tuple[str, int, int]) -> dict[str, Any]:
    """Return what a checkout keeps: lines of SKU, units and price in minor units."""
    return {
        "lines": [[sku, count] for sku, count, _price in lines],
        "buyer": {"first_name": "Ada", "last_name": "Lovelace", "email": email},
        "codes": ["SPRING"],
        "delivery": {
            "destination": "home",
            "destinations": [
                {"id": "home", "street_address": "1 Main St", "address_locality": "Kiel"}
            ],
        },
        "instruments": [
            {"id": TOKEN, "handler_id": "transfer", "type": "invoice", "selected": True}
        ],
        "shown": {
            "lines": [list(line) for line in lines],
            "discount": 100,
            "delivery": 490,
            "total": sum(count * price for _sku, count, price in lines) + 390,
        },
        "said": [
            {
                "type": "error",
                "code": "upload_required",
                "content": "It is made with a picture of the buyer.",
                "severity": "requires_buyer_input",
            }
        ],
    }


def checkout(of: AgentPlatform | None = None, order: Order | None = None, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "platform": of or platform(),
        "wanted": wanted("ada@example.org", ("MUG", 2, 1230)),
        "expires_at": timezone.now() + timedelta(hours=6),
    }
    if order is not None:
        values |= {"stage": AgentCheckout.Stage.COMPLETED, "order_id": order.pk}
    return AgentCheckout.objects.create(**values | fields)


def link(shopper: User, name: str = "Assistant", **fields: Any) -> AgentLink:
    client, _is_new = AgentClient.objects.get_or_create(
        client_id=name.lower(),
        defaults={"name": name, "platform": platform(), "redirect_uris": []},
    )
    values = {
        "client": client,
        "user": shopper,
        "scopes": [READ_ORDERS],
        "refresh_until": timezone.now() + timedelta(days=30),
    }
    return AgentLink.objects.create(**values | fields)

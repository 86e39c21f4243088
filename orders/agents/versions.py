"""What the shop can do for agents, in the protocol's names: version, services, capabilities."""

from dataclasses import dataclass, field
from typing import Any

VERSION = "2026-04-08"
_HOME = f"https://ucp.dev/{VERSION}"

CHECKOUT = "dev.ucp.shopping.checkout"
CART = "dev.ucp.shopping.cart"
ORDER = "dev.ucp.shopping.order"
SEARCH = "dev.ucp.shopping.catalog.search"
LOOKUP = "dev.ucp.shopping.catalog.lookup"
FULFILLMENT = "dev.ucp.shopping.fulfillment"
DISCOUNT = "dev.ucp.shopping.discount"
LINKING = "dev.ucp.common.identity_linking"
SERVICE = "dev.ucp.shopping"
READ_ORDERS = f"{ORDER}:read"
"""The scope of OAuth by which a person lets a platform read all their orders."""


@dataclass(frozen=True)
class Capability:
    page: str
    """Its page of the specification."""
    schema: str
    extends: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)


CAPABILITIES: dict[str, Capability] = {
    CHECKOUT: Capability("checkout", "shopping/checkout"),
    CART: Capability("cart", "shopping/cart"),
    ORDER: Capability("order", "shopping/order"),
    SEARCH: Capability("catalog/search", "shopping/catalog_search"),
    LOOKUP: Capability("catalog/lookup", "shopping/catalog_lookup"),
    FULFILLMENT: Capability("fulfillment", "shopping/fulfillment", (CHECKOUT,)),
    DISCOUNT: Capability("discount", "shopping/discount", (CHECKOUT, CART)),
    LINKING: Capability(
        "identity-linking", "common/identity_linking", config={"scopes": {READ_ORDERS: {}}}
    ),
}


def declared() -> dict[str, list[dict[str, object]]]:
    """Return the capabilities as a profile declares them."""
    return {
        name: [
            {
                "version": VERSION,
                "spec": f"{_HOME}/specification/{one.page}",
                "schema": f"{_HOME}/schemas/{one.schema}.json",
                **_extends(one),
                **({"config": one.config} if one.config else {}),
            }
        ]
        for name, one in CAPABILITIES.items()
    }


def service(transport: str, endpoint: str) -> dict[str, str]:
    """Return one transport of the shopping service as a profile declares it."""
    schema = {"rest": "rest.openapi.json", "mcp": "mcp.openrpc.json"}[transport]
    return {
        "version": VERSION,
        "spec": f"{_HOME}/specification/overview",
        "transport": transport,
        "endpoint": endpoint,
        "schema": f"{_HOME}/services/shopping/{schema}",
    }


def _extends(one: Capability) -> dict[str, object]:
    if not one.extends:
        return {}
    return {"extends": one.extends[0] if len(one.extends) == 1 else list(one.extends)}

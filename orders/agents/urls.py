"""The addresses for agents. `ucp/v1` is the REST binding's endpoint, `ucp/mcp` that of MCP."""

from django.urls import path

from orders.agents.linking import views as linking
from orders.agents.mcp import mcp
from orders.agents.profile import profile
from orders.agents.rest import endpoint, unknown

_V1 = "ucp/v1"

urlpatterns = [
    path(".well-known/ucp", profile, name="ucp-profile"),
    path(".well-known/oauth-authorization-server", linking.metadata, name="agent-metadata"),
    path(".well-known/oauth-protected-resource", linking.resource, name="agent-resource"),
    path("accounts/link/", linking.link, name="agent-link"),
    path("accounts/linked/", linking.linked, name="agent-links"),
    path("ucp/oauth/token", linking.token, name="agent-token"),
    path("ucp/oauth/revoke", linking.end, name="agent-revoke"),
    path("ucp/mcp", mcp, name="ucp-mcp"),
    path(_V1, endpoint(), name="ucp-rest"),
    path(f"{_V1}/catalog/search", endpoint(POST="search_catalog"), name="ucp-search"),
    path(f"{_V1}/catalog/lookup", endpoint(POST="lookup_catalog"), name="ucp-lookup"),
    path(f"{_V1}/catalog/product", endpoint(POST="get_product"), name="ucp-product"),
    path(f"{_V1}/carts", endpoint(POST="create_cart"), name="ucp-carts"),
    path(f"{_V1}/carts/<str:target>", endpoint(GET="get_cart", PUT="update_cart"), name="ucp-cart"),
    path(f"{_V1}/carts/<str:target>/cancel", endpoint(POST="cancel_cart"), name="ucp-cart-cancel"),
    path(
        f"{_V1}/checkout-sessions", endpoint(POST="create_checkout"), name="ucp-checkout-sessions"
    ),
    path(
        f"{_V1}/checkout-sessions/<str:target>",
        endpoint(GET="get_checkout", PUT="update_checkout"),
        name="ucp-checkout-session",
    ),
    path(
        f"{_V1}/checkout-sessions/<str:target>/complete",
        endpoint(POST="complete_checkout"),
        name="ucp-complete",
    ),
    path(
        f"{_V1}/checkout-sessions/<str:target>/cancel",
        endpoint(POST="cancel_checkout"),
        name="ucp-cancel",
    ),
    path(f"{_V1}/orders/<str:target>", endpoint(GET="get_order"), name="ucp-order"),
    path(f"{_V1}/<path:target>", unknown, name="ucp-unknown"),
    path(f"{_V1}/", unknown, {"target": ""}, name="ucp-root"),
]

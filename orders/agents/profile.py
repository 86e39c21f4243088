"""`GET /.well-known/ucp`: what the shop can do for agents, and the keys that it signs with."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from orders.agents.envelope import site
from orders.agents.payment import declared_handlers
from orders.agents.signing import own_keys
from orders.agents.versions import SERVICE, VERSION, declared, service

SECONDS = 300
"""For so long others keep it; the protocol wants a minute at least."""


@csrf_exempt
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(json.dumps(document()), content_type="application/json")
    response["Cache-Control"] = f"public, max-age={SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def document() -> dict[str, Any]:
    """Return the business profile."""
    return {
        "ucp": {
            "version": VERSION,
            "services": {
                SERVICE: [
                    service("rest", site(reverse("ucp-rest"))),
                    service("mcp", site(reverse("ucp-mcp"))),
                ]
            },
            "capabilities": declared(),
            "payment_handlers": declared_handlers(),
        },
        "signing_keys": [key.jwk for key in own_keys()],
        "name": settings.SHOP_NAME,
    }

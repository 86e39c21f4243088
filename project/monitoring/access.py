"""Who may read `/metrics`: addresses that `METRICS_ALLOWED` names, and the bearer of its token."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from project.limits.client_address import client_address


def may_read_metrics(request: HttpRequest) -> bool:
    """Tell whether the request comes from a named network, or brings `METRICS_TOKEN`.

    The address is the one that the outermost trusted proxy saw (`TRUSTED_PROXY_COUNT`).
    """
    return _brings_the_token(request) or _is_in_a_named_network(request)


def _is_in_a_named_network(request: HttpRequest) -> bool:
    address = ip_address(client_address(request))
    return any(address in network for network in settings.METRICS_ALLOWED)


def _brings_the_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    if not token or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.encode())

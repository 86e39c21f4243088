"""A request's client address: limits and lockouts count by it."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - a socket file has no address; nothing listens here
"""Stands for all clients of a web process that listens on a socket file."""


def client_address(request: HttpRequest) -> str:
    """Return the client's address as the outermost trusted proxy saw it.

    Each proxy adds the address that it was called from at the end of X-Forwarded-For; entries
    before those of our own proxies are the client's and not trusted. A request that bypassed
    the proxies counts by its own address.
    """
    count = settings.TRUSTED_PROXY_COUNT
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if count and len(forwarded) >= count and (address := _parsed(forwarded[-count])):
        return address
    return _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def _parsed(text: str) -> str:
    """Return the address in its canonical form, or nothing if it isn't one."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""

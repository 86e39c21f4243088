"""A request's client address, and the form in which limits and lockouts count it."""

import logging
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

UNKNOWN = "0.0.0.0"  # noqa: S104 - a socket file has no address; nothing listens here
"""Stands for all clients of a web process that listens on a socket file."""
HOME_PREFIX = 64
"""The bits of an IPv6 address that a provider assigns to one home, server or phone (RFC 6177).
The client chooses the other bits, and may choose new ones for each request."""


def client_address(request: HttpRequest) -> str:
    """Return the client's address as the outermost trusted proxy saw it.

    Each proxy adds the address that it was called from at the end of X-Forwarded-For; entries
    before those of our own proxies are the client's and not trusted. A request that bypassed
    the proxies has its own address. An IPv4 address in IPv6 form (`::ffff:192.0.2.1`, RFC 4291) is
    returned in IPv4 form.
    """
    count = settings.TRUSTED_PROXY_COUNT
    if came_by_unknown_proxy(request):
        _warn_of_unknown_proxy()
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if count and len(forwarded) >= count and (address := _parsed(forwarded[-count])):
        return str(address)
    return str(_parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN)


def came_by_unknown_proxy(request: HttpRequest) -> bool:
    """Tell whether the request says that a proxy sent it on, while the settings know of none.

    Then all clients share the address of the proxy; or one client sent the header by itself.
    """
    return settings.TRUSTED_PROXY_COUNT == 0 and "X-Forwarded-For" in request.headers


@cache  # once a process: it holds for each request
def _warn_of_unknown_proxy() -> None:
    logger.warning(
        "A request has X-Forwarded-For, but TRUSTED_PROXY_COUNT is 0, so the address that called is"
        " counted: if a proxy of yours stands before the shop, set the number of them."
    )


def counted_address(request: HttpRequest) -> str:
    """Return the form in which the request's client is counted: see `counted_form`."""
    return counted_form(client_address(request))


def counted_form(address: str) -> str:
    """Return the form in which an address is counted: IPv4 as it is, IPv6 as its /64.

    `2001:db8:1:2::/64` for `2001:db8:1:2:3:4:5:6`. Raises ValueError if it isn't an address.
    """
    parsed = _as_ipv4(ip_address(address))
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Network((int(parsed), HOME_PREFIX), strict=False))


def counted_inet(request: HttpRequest) -> str:
    """Return the counted form for a column of the type inet: of an IPv6 /64 its first address.

    Django's field for such a column takes single addresses only. django-axes calls it too.
    """
    return counted_address(request).removesuffix(f"/{HOME_PREFIX}")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, or None if the text isn't one."""
    try:
        return _as_ipv4(ip_address(text.strip()))
    except ValueError:
        return None


def _as_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address in an IPv4-mapped IPv6 address; any other unchanged."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address

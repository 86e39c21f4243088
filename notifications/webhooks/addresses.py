"""Opens connections to addresses outside only: an endpoint's URL is no way into our own network.

Each connection looks its name up and goes to an address that was checked, so a name that changes
its address between check and connection gains nothing. Redirects aren't followed at all.
`WEBHOOK_INSIDE` names networks that may be reached all the same, such as a warehouse's; plain http
goes only there.
"""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings

from notifications.channels.deadline import Deadline

_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
"""Deprecated, and some systems still send what goes there to the IPv4 address in it."""
LEADS_INSIDE = "the address leads inside"
NEEDS_TLS = "plain http goes to WEBHOOK_INSIDE only"


class InsideAddressError(OSError):
    """The name leads to an address that isn't public, or that needs TLS: nothing was sent."""


def connect(
    address: tuple[str, int],
    timeout: float | None = None,
    source_address: Any = None,
    *,
    is_tls: bool = True,
    deadline: Deadline | None = None,
) -> socket.socket:
    """Connect to the first address of the name that answers, if all of them are allowed.

    `timeout` is for each address, `deadline` for all: a name may have any number of them. Raises
    InsideAddressError, or OSError as `socket.create_connection` does.
    """
    host, port = address
    found = list(dict.fromkeys(_addresses(host, port)))
    for each in found:
        refuse_inside(each, is_tls=is_tls)
    error: OSError = OSError(f"{host} has no address")
    for each in found:
        try:
            if deadline is not None:
                left = deadline.remaining()
                timeout = left if timeout is None else min(timeout, left)
            return socket.create_connection((str(each), port), timeout, source_address)
        except OSError as failed:
            error = failed
    raise error


def refuse_inside(address: IPv4Address | IPv6Address, *, is_tls: bool) -> None:
    """Raise InsideAddressError for an address that may not be reached."""
    if any(address in network for network in settings.WEBHOOK_INSIDE):
        return
    if not is_public(address):
        raise InsideAddressError(f"{LEADS_INSIDE}: {address}")
    if not is_tls:
        raise InsideAddressError(NEEDS_TLS)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether the address, and any IPv4 address that it stands for, is anybody's."""
    if not address.is_global or address.is_multicast:
        return False
    return all(is_public(each) for each in _embedded(address))


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64 or address in _COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _addresses(host: str, port: int) -> Iterator[IPv4Address | IPv6Address]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a name that no label can have
        raise OSError(f"{host!r} is no host name") from error
    for _family, _kind, _protocol, _name, sockaddr in rows:
        yield ip_address(str(sockaddr[0]).partition("%")[0])

"""Reads networks, such as those that may ask for the figures, and addresses of servers."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from project.conf.environment import named, optional, text

Network = IPv4Network | IPv6Network


def networks(name: str, default: str = "") -> list[Network]:
    """Return the comma-separated networks: `10.1.0.0/16`, or one address. There may be none.

    Raises ImproperlyConfigured for anything else, also for an address inside its network
    (`10.1.2.3/16`), which may mean either.
    """
    found = []
    for part in optional(name, default).split(","):
        if typed := part.strip():
            wanted = (
                f"{typed!r} is no network; give 192.0.2.10, or networks like 10.1.0.0/16,fd00::/8"
            )
            with named(name, wanted):
                found.append(ip_network(typed))
    return found


def udp_address(name: str) -> tuple[str, int] | None:
    """Return the IP address and port at which a server hears UDP; None if there is none.

    No host name: looking it up may take seconds, again and again.
    """
    value = text(name)
    if not value:
        return None
    with named(name, "give an IP address and a port, like 127.0.0.1:8125 or [::1]:8125"):
        host, colon, port = value.rpartition(":")
        if not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError
        return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)

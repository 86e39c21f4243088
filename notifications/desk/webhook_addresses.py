"""Addresses that an endpoint may be given: what can be told without looking the name up.

Where a name leads is checked at each connection (`notifications.webhooks.addresses`).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from notifications.webhooks.addresses import is_public

LOOPBACK = ("localhost",)
"""Ending of the names of one's own machine (RFC 6761)."""
OWN_NETWORK = ("local", "internal", "localdomain", "home.arpa")
"""Endings of names that only a network of one's own knows: RFC 6762, RFC 8375, ICANN 2024."""
EXAMPLE = "https://warehouse.example/hooks"


def usable_address(typed: str) -> str:
    """Return the address, stripped. Raises ValidationError with the reason if it can't be used.

    Names of an own network, and plain http to a name, need a network in `WEBHOOK_INSIDE` that isn't
    loopback, addresses inside need theirs: a local run, which has loopback alone, reaches itself.
    """
    url = typed.strip()
    parts = _split(url)
    if parts.username or parts.password or parts.fragment:
        raise ValidationError(_("Leave out user, password and fragment: requests are signed."))
    if not url.isascii():
        raise ValidationError(_("Write the address in ASCII: xn--… for other letters."))
    host = (parts.hostname or "").rstrip(".")
    try:
        _refuse_address(ip_address(host), is_tls=parts.scheme == "https")
    except ValueError:  # a name
        _refuse_name(host, is_tls=parts.scheme == "https")
    return url


def _split(url: str) -> SplitResult:
    try:
        URLValidator(schemes=["https", "http"])(url)
        parts = urlsplit(url)
    except (ValidationError, ValueError):
        words = _("Enter an address like %(example)s.")
        raise ValidationError(words % {"example": EXAMPLE}) from None
    try:
        has_port = parts.port != 0
    except ValueError:
        has_port = False
    if not has_port:
        raise ValidationError(_("There is no such port: it is a number from 1 to 65535."))
    return parts


def _refuse_address(address: IPv4Address | IPv6Address, *, is_tls: bool) -> None:
    if any(address in network for network in settings.WEBHOOK_INSIDE):
        return
    if not is_public(address):
        words = _("%(host)s isn't public, and not in a network of WEBHOOK_INSIDE.")
        raise ValidationError(words % {"host": address})
    _require_tls(is_tls)


def _refuse_name(host: str, *, is_tls: bool) -> None:
    networks = settings.WEBHOOK_INSIDE
    if _ends_with(host, LOOPBACK):
        is_known = any(network.is_loopback for network in networks)
    else:
        is_known = any(not network.is_loopback for network in networks)
    if _ends_with(host, LOOPBACK + OWN_NETWORK) and not is_known:
        words = _("%(host)s is a name of an own network, and WEBHOOK_INSIDE names none for it.")
        raise ValidationError(words % {"host": host})
    _require_tls(is_tls or is_known)


def _require_tls(has_it: bool) -> None:
    if not has_it:
        raise ValidationError(_("Use https: plain http goes to networks of WEBHOOK_INSIDE only."))


def _ends_with(host: str, endings: tuple[str, ...]) -> bool:
    return f".{host.lower()}".endswith(tuple(f".{ending}" for ending in endings))

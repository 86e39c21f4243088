"""Every limit by its name in the tables: its label, and its rate by the settings."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from project.countries import country_name
from project.email_addresses import readable_address
from project.limits.rates import HOLDS, ORDER_LIMITS, QUOTES, UNLIMITED, Rate

ORDER, SMS = "order", "sms"
"""The first parts of the names: `order:email`, `sms:CN`."""
QUOTES_OF_ADDRESS, HOLDS_OF_ADDRESS = "quotes:address", "holds:address"
API_OF_CLIENT, API_OF_ITS_OWN = "api:client", "api:own"
"""Requests of an API client; the second name counts clients with a number of their own."""
CODE_GUESSES = "code:guesses"
"""The name under which guesses of a code are counted. No setting changes this limit."""

_LABELS: dict[str, str | Promise] = {
    f"{ORDER}:address": _("Orders from one address"),
    f"{ORDER}:email": _("Orders with one e-mail address"),
    f"{ORDER}:phone": _("Orders with one phone number"),
    f"{ORDER}:session": _("Orders from one browser"),
    f"{ORDER}:all": _("Orders in all"),
    f"{SMS}:all": _("SMS in all"),
    QUOTES_OF_ADDRESS: _("Questions to carriers from one address"),
    HOLDS_OF_ADDRESS: _("Holds from one address"),
    API_OF_CLIENT: _("Requests of one API client"),
    API_OF_ITS_OWN: _("Requests of one API client, by its own limit"),
    CODE_GUESSES: _("Guesses of one code"),
}


@dataclass(frozen=True)
class KnownLimit:
    """A limit that the settings name."""

    name: str
    rate: Rate
    is_off: bool = False
    """The setting is "off": nothing is counted, whatever an operator changed."""


def known_limits() -> dict[str, KnownLimit]:
    """Return every limit by its name."""
    is_off = settings.ORDER_LIMITS is None
    rates = ORDER_LIMITS if settings.ORDER_LIMITS is None else settings.ORDER_LIMITS
    caps = {"all": UNLIMITED, **settings.SMS_DAILY_CAP}
    limits = [
        *(KnownLimit(f"{ORDER}:{name}", rate, is_off=is_off) for name, rate in rates.items()),
        KnownLimit(QUOTES_OF_ADDRESS, QUOTES, is_off=is_off),
        KnownLimit(HOLDS_OF_ADDRESS, HOLDS, is_off=is_off),
        KnownLimit(API_OF_CLIENT, settings.API_CLIENT_LIMIT),
        *(
            KnownLimit(f"{SMS}:{country}", rate, is_off=not settings.SMS_DAILY_CAP)
            for country, rate in caps.items()
        ),
    ]
    return {limit.name: limit for limit in limits}


def key_in_words(name: str, key: str) -> str:
    """Return what one counter of the limit counts, for people."""
    if key == "all":
        return str(_("all of them"))
    return country_name(key) if name.startswith(f"{SMS}:") else readable_address(key)


def label_of(name: str) -> str:
    """Return a limit's label for people."""
    if label := _LABELS.get(name):
        return str(label)
    kind, _colon, country = name.partition(":")
    return _("SMS to %(country)s") % {"country": country_name(country)} if kind == SMS else name

"""Rates like "60/min", and the limits that settings name by them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from phonenumbers import SUPPORTED_REGIONS

PERIODS = {"min": 60, "h": 3600, "d": 86_400}
"""Seconds by the unit that a setting writes."""
_RATE = re.compile(r"([1-9][0-9]{0,8})/(min|h|d)", re.ASCII)
_COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
OFF = "off"


@dataclass(frozen=True)
class Rate:
    """So many in a period; 0: as many as there are."""

    allowed: int
    seconds: int

    def __str__(self) -> str:
        units = {seconds: unit for unit, seconds in PERIODS.items()}
        return f"{self.allowed}/{units[self.seconds]}" if self.allowed else OFF


UNLIMITED = Rate(0, PERIODS["h"])

ORDER_LIMITS = {
    "address": Rate(60, PERIODS["min"]),
    "email": Rate(10, PERIODS["h"]),
    "phone": Rate(5, PERIODS["h"]),
    "session": Rate(20, PERIODS["h"]),
    "all": Rate(12_000, PERIODS["min"]),
}
"""What an order counts by, and its limit unless `ORDER_LIMITS` has another one."""
QUOTES = Rate(60, PERIODS["min"])
"""How often one address may have carriers asked for quotes, unless an operator changed it."""
HOLDS = Rate(30, PERIODS["min"])
"""How often one address may have units held, unless an operator changed it."""
API_CLIENT = Rate(600, PERIODS["min"])
"""How many requests an API client may send, unless its row or an operator says another number."""
SMS_DAILY_CAP = {"all": Rate(2000, PERIODS["d"])}


def order_limits(name: str, value: str) -> dict[str, Rate] | None:
    """Return the limits of orders by what they count; None for "off".

    The value is like "address=60/min,email=10/h,phone=off"; a limit that it doesn't name keeps
    its default. Raises ImproperlyConfigured for anything else.
    """
    if value.strip() == OFF:
        return None
    given: dict[str, Rate] = {}
    for part in _parts(value):
        limit, equals, rate = (text.strip() for text in part.partition("="))
        if not equals or limit not in ORDER_LIMITS or limit in given:
            known = ", ".join(ORDER_LIMITS)
            raise ImproperlyConfigured(
                f"{name}: {part!r} is no limit: give LIMIT=RATE, each LIMIT once ({known})."
            )
        given[limit] = _rate(name, rate)
    return {**ORDER_LIMITS, **given}


def one_rate(name: str, value: str) -> Rate:
    """Return the rate of a setting like "600/min", or `UNLIMITED` for "off".

    Raises ImproperlyConfigured for anything else.
    """
    return _rate(name, value.strip())


def as_written(limits: Mapping[str, Rate]) -> str:
    """Return the limits as the setting writes them."""
    return ",".join(f"{name}={rate}" for name, rate in limits.items())


def sms_caps(name: str, value: str) -> Mapping[str, Rate]:
    """Return the caps of SMS a day by country, `all` for the sum; empty for "off".

    The value is like "2000,CN=500". Raises ImproperlyConfigured for anything else.
    """
    if value.strip() == OFF:
        return {}
    if not value.strip():
        return SMS_DAILY_CAP
    given: dict[str, Rate] = {}
    for part in _parts(value):
        country, equals, count = (text.strip() for text in part.rpartition("="))
        country = country if equals else "all"
        known = country == "all" or country in SUPPORTED_REGIONS
        if not known or country in given or not _COUNT.fullmatch(count):
            raise ImproperlyConfigured(
                f"{name}: {part!r} is no cap: give the SMS a day in all, then those of countries by"
                ' their two letters, like "2000,CN=500", or "off".'
            )
        given[country] = Rate(int(count), PERIODS["d"])
    return given


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _rate(name: str, text: str) -> Rate:
    if text == OFF:
        return UNLIMITED
    found = _RATE.fullmatch(text)
    if not found:
        units = ", ".join(PERIODS)
        raise ImproperlyConfigured(
            f"{name}: {text!r} is no rate: give a whole number and its period ({units}), like"
            ' "60/min", or "off".'
        )
    return Rate(int(found[1]), PERIODS[found[2]])

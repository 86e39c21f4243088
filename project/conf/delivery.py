"""DELIVERY_…: which carriers the shop has, and what each needs."""

import re
from collections.abc import Sequence
from decimal import Decimal

from django.core.exceptions import ImproperlyConfigured

from project.conf.urls import PERCENT, UnreadableUrlError, split_url
from project.countries import COUNTRIES

ELSEWHERE = "*"
"""Stands for the countries that the setting doesn't name."""
OWN_NAMES = ("flat-rate", "by-weight", "pickup", "swift", "steady", "moody")
"""The names of our own carriers, and of those that a local run simulates."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_PRICE = re.compile(r"[0-9]{1,4}(\.[0-9]{2})?", re.ASCII)
_KILOS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?", re.ASCII)


def flat_rate(name: str, value: str) -> dict[str, Decimal]:
    """Return the prices by country, of "4.90" or "DE=4.90,AT=9.90,*=19.90"; empty: no flat rate.

    Raises ImproperlyConfigured.
    """
    prices: dict[str, Decimal] = {}
    for part in _parts(value):
        country, equals, price = (text.strip() for text in part.rpartition("="))
        country = country if equals else ELSEWHERE
        known = country in COUNTRIES or country == ELSEWHERE
        if not known or country in prices or not _PRICE.fullmatch(price):
            raise ImproperlyConfigured(
                f"{name}: {part!r} is no price: give one for all countries, like 4.90, or those of"
                f" countries, each once, like DE=4.90,AT=9.90,{ELSEWHERE}=19.90."
            )
        prices[country] = _money(price)
    return prices


def by_weight(name: str, value: str) -> list[tuple[int, Decimal]]:
    """Return the most grams and the price of each step, of "2=4.90,10=7.90" in kilograms.

    The lightest comes first; empty: no price by weight. Raises ImproperlyConfigured.
    """
    steps: dict[int, Decimal] = {}
    for part in _parts(value):
        kilos, equals, price = (text.strip() for text in part.partition("="))
        if not equals or not _KILOS.fullmatch(kilos) or not _PRICE.fullmatch(price):
            raise ImproperlyConfigured(
                f"{name}: {part!r} is no step: give the most kilograms and their price, like"
                " 2=4.90,10=7.90."
            )
        grams = int(Decimal(kilos) * 1000)
        if grams in steps:
            raise ImproperlyConfigured(f"{name} has {kilos} twice.")
        steps[grams] = _money(price)
    return sorted(steps.items())


def carriers(name: str, value: str, *, is_production: bool) -> dict[str, str]:
    """Return the addresses of carriers by name, of NAME=URL with spaces between.

    Raises ImproperlyConfigured, which shows no part of an address: it may have a password.
    """
    found: dict[str, str] = {}
    for part in value.split():
        carrier, _equals, url = part.partition("=")
        if not _NAME.fullmatch(carrier):
            raise ImproperlyConfigured(
                f"{name}: give NAME=URL with spaces between; a name has small letters, digits and"
                " hyphens."
            )
        if carrier in found or carrier in OWN_NAMES:
            raise ImproperlyConfigured(f"{name}: the name {carrier} is taken. Choose another one.")
        found[carrier] = _url(name, carrier, url, is_production=is_production)
    return found


NUMBER = "{number}"
"""Stands for the parcel's number in TRACKING_LINKS."""


def tracking_links(name: str, value: str) -> dict[str, str]:
    """Return the pages that show a parcel, by the carrier's name in small letters.

    The value has NAME=URL with spaces between; {number} stands for the parcel's number. Raises
    ImproperlyConfigured.
    """
    found: dict[str, str] = {}
    for part in value.split():
        carrier, _equals, url = part.partition("=")
        if not carrier or not url.startswith("https://") or url.count(NUMBER) != 1:
            raise ImproperlyConfigured(
                f"{name}: give NAME=URL with spaces between, each a URL of https that has {NUMBER}"
                " where the parcel's number goes."
            )
        found[carrier.lower()] = url
    return found


def _url(name: str, carrier: str, url: str, *, is_production: bool) -> str:
    try:
        parts = split_url(url)
    except UnreadableUrlError:
        raise ImproperlyConfigured(f"{name}: {carrier} has no URL. {PERCENT}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"{name}: give {carrier} a URL of https.")
    if is_production and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ImproperlyConfigured(
            f"{name}: {carrier} is asked over http, where anybody between reads and changes prices:"
            " use https."
        )
    return url


def _parts(value: str) -> Sequence[str]:
    return [part.strip() for part in value.split(",")] if value.strip() else []


def _money(price: str) -> Decimal:
    return Decimal(price).quantize(Decimal("0.01"))

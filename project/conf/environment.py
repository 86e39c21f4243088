"""Reads the environment's variables strictly: the error about a wrong value names its variable.

A variable that is set to nothing is refused where a default would silently take its place: only
those that stand empty in `.env.example` may be empty. A value that may contain a password is never
shown: `project.conf.urls` parses URLs. Settings about time are read by
`project.conf.durations`, `MEDIA_STORAGE` by `project.conf.media_storage`, the gateways by
`notifications.delivery.gateways`.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import getaddresses
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import environ
from celery.app.backends import BACKEND_ALIASES
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from kombu.transport import TRANSPORT_ALIASES

from project.conf.database import database as database_of
from project.conf.urls import PERCENT, split_url
from project.countries import COUNTRIES
from project.currencies import decimal_places
from project.email_addresses import ascii_domain, canonical_address

ON = ("1", "on", "true", "yes")
OFF = ("0", "off", "false", "no")
RESULT_BACKENDS = {*BACKEND_ALIASES, "django-db", "django-cache"}
LONGEST_LABEL = 100
SHORTEST_KEY, FEWEST_CHARACTERS = 16, 5
MOST = 999_999_999
NOBODY = "off"
_HOST = re.compile(r"\.?[\w-]+(\.[\w-]+)*|\[[0-9a-f:.]+\]|\*", re.IGNORECASE)
ONE_HOST = ("redis", "rediss", "db", "rpc", "amqp")
"""Result backends whose address has one host and port."""
MAIL = ("smtp", "smtp+tls", "smtp+ssl")
MAIL_ELSEWHERE = ("consolemail", "dummymail", "filemail", "memorymail")


def needed(name: str) -> str:
    """Return a variable that has no default."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: start bin/up first, or see .env.example.")
    return value


def text(name: str, default: str = "") -> str:
    """Return the value, or the default of a variable that isn't set.

    Raises ImproperlyConfigured for an empty one that has a default, and for one of blanks only.
    """
    # Not by environ.Env: it takes a secret that begins with $ for another variable's name.
    value = os.environ.get(name)
    if value is None:
        return default
    if default and not value.strip():
        raise ImproperlyConfigured(
            f"{name} is empty: give it a value, or don't set it at all ({default} then)."
        )
    if value and not value.strip():
        raise ImproperlyConfigured(f"{name} has blanks only: give it a value, or leave it empty.")
    return value.strip()


def optional(name: str, default: str) -> str:
    """Return the value, which may be empty, or the default of a variable that isn't set."""
    return text(name) if name in os.environ else default


def label(name: str, default: str) -> str:
    """Return a name for people that fits into one line of a page or a message."""
    value = text(name, default)
    if not value.isprintable() or len(value) > LONGEST_LABEL:
        raise ImproperlyConfigured(
            f"{name}: give one line of at most {LONGEST_LABEL} printable characters."
        )
    return value


def require_secrets(name: str, *values: str) -> None:
    """Raise ImproperlyConfigured unless all these keys are hard to guess."""
    if any(len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS for key in values):
        raise ImproperlyConfigured(
            f"{name} is too short or too simple to be secret: give at least {SHORTEST_KEY} random"
            " characters, such as those of `openssl rand -base64 48`."
        )


def several(name: str, default: str = "") -> list[str]:
    """Return the comma-separated values."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def hosts(name: str, default: str = "") -> list[str]:
    """Return the comma-separated host names; one with a dot before it stands for all below it."""
    found = several(name, default)
    for host in found:
        if not _HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name}: {host!r} is no host name: give one without https:// and port."
            )
    return found


def origins(name: str) -> list[str]:
    """Return the comma-separated origins: a scheme and a host, and a port if it is another one."""
    found = several(name)
    for origin in found:
        with named(name, f"{origin!r} is no origin; give https://shop.example.org"):
            url = split_url(origin)
            if url.scheme not in ("http", "https") or not url.hostname:
                raise ValueError
            if origin != f"{url.scheme}://{url.netloc}" or url.username is not None:
                raise ValueError
    return found


def addresses(name: str, *, may_be_empty: bool = True) -> list[str]:
    """Return the comma-separated e-mail addresses, in the form of `project.email_addresses`.

    "off" means nobody; an empty variable that may not be empty was probably forgotten.
    """
    if text(name) == NOBODY:
        return []
    found = several(name)
    if name in os.environ and not found and not may_be_empty:
        raise ImproperlyConfigured(
            f"{name} is empty, and reports and alerts would reach nobody: give the staff's"
            " addresses, or off if nobody is to get them."
        )
    return [_address(name, typed) for typed in found]


def _address(name: str, typed: str) -> str:
    with named(name, f"{typed!r} is no e-mail address; give ada@example.org, bob@example.org"):
        address = canonical_address(typed)
        validate_email(address)
    return address


def sender(name: str, default: str) -> str:
    """Return from whom messages come: an e-mail address, with a name before it or without."""
    value = text(name, default)
    wanted = 'give shop@shop.example.org or "Tea, Tins & More" <shop@shop.example.org>'
    with named(name, wanted):
        # What can't be written into one line of a header can't be sent either.
        if not value.isprintable() or ("<" in value) != value.endswith(">"):
            raise ValueError
        [(_name, address)] = getaddresses([value])
        validate_email(address)
        # The standard library joins what has blanks between: exa mple.org becomes another's domain.
        if address not in value:
            raise ValueError
        ascii_domain(address.rpartition("@")[2])
        if not address.rpartition("@")[0].isascii():
            raise ValueError
    return value


def pairs(name: str, *, known: str = ".+") -> dict[str, str]:
    """Return the secrets by name, from comma-separated NAME=SECRET pairs.

    `known` is a pattern of the names that have a meaning.
    """
    found = [part.partition("=") for part in several(name)]
    names = [key.strip() for key, _, _secret in found]
    if len(set(names)) < len(names) or not all(
        key.strip() and secret.strip() for key, _, secret in found
    ):
        raise ImproperlyConfigured(f"{name}: give NAME=SECRET, several with commas between.")
    for key in names:
        if not re.fullmatch(known, key):
            raise ImproperlyConfigured(f"{name}: {key!r} names no provider. See .env.example.")
    return {key.strip(): secret.strip() for key, _, secret in found}


def switch(name: str, *, default: bool = False) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in ON + OFF:
        raise ImproperlyConfigured(f"{name} is {value!r}: write on or off.")
    return value in ON


def whole_number(name: str, default: int, *, least: int = 0, most: int = MOST) -> int:
    value = text(name, str(default))
    is_number = value.isascii() and value.isdecimal() and len(value) <= len(str(MOST))
    if not is_number or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a whole number from {least} to {most}."
        )
    return int(value)


def port(name: str) -> int:
    return whole_number(name, 8000, least=1, most=65_535)


def site(name: str, *, default: str = "") -> str:
    """Return a site's address, without the slash at its end; one with a default may be empty.

    The pages are at the top of their host, whose name is in the form that browsers send.
    """
    value = text(name) or default if default else needed(name)
    wanted = (
        "give an address like https://shop.example.org, without a path; write letters beyond"
        " ASCII as xn--…"
    )
    with named(name, wanted):
        url = split_url(value)
        if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.hostname or ""):
            raise ValueError
        if url.username is not None or url.path.strip("/") or url.query or url.fragment:
            raise ValueError
        if not value.isascii():
            raise ValueError
    return value.rstrip("/")


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    with named(name, f"there is no time zone {value!r}; one is Europe/Berlin"):
        ZoneInfo(value)
    return value


def country(name: str, default: str) -> str:
    value = text(name, default)
    if value not in COUNTRIES:
        raise ImproperlyConfigured(f"{name} is {value!r}: give a country's two letters, like DE.")
    return value


def currency(name: str, default: str) -> str:
    value = text(name, default)
    if not re.fullmatch("[A-Z]{3}", value):
        raise ImproperlyConfigured(f"{name} is {value!r}: give a currency's three letters.")
    if decimal_places(value) != 2:
        raise ImproperlyConfigured(
            f"{name} is {value!r}, whose amounts have {decimal_places(value)} decimal places:"
            " choose a currency with two. Tandem keeps every amount with two."
        )
    return value


def database(name: str) -> dict[str, Any]:
    return _database(name, needed(name))


def optional_database(name: str, *, session: str = "read-write") -> dict[str, Any] | None:
    """Return Django's settings for the database at this address; None if none is given."""
    value = text(name, "")
    return _database(name, value, session=session) if value else None


def _database(name: str, value: str, *, session: str = "read-write") -> dict[str, Any]:
    wanted = (
        "give postgres://user:password@host:5432/database, or several hosts with commas between"
    )
    with named(name, wanted):
        return database_of(value, session=session)


def broker(name: str) -> str:
    """Return a broker's address, or several with semicolons between, as Celery takes them."""
    value = needed(name)
    with named(name, "give redis://:password@host:6379/0 or amqp://user:password@host:5672/"):
        for address in value.split(";"):
            scheme = split_url(address).scheme.partition("+")[0]
            if "://" not in address or scheme not in TRANSPORT_ALIASES or _has_fragment(address):
                raise ValueError
    return value


def result_backend(name: str, default: str) -> str:
    """Return where Celery keeps results: a backend's name, or its address."""
    value = text(name, default)
    wanted = (
        "give django-db, disabled, rpc://, redis://host:6379/1,"
        " db+postgresql://user:password@host/name or another of Celery's"
    )
    with named(name, wanted):
        for address in value.split(";"):
            backend = address.partition("://")[0].partition("+")[0]
            if backend not in RESULT_BACKENDS:
                raise ValueError
            split_url(address, several_hosts=backend not in ONE_HOST)
    return value


def program(name: str) -> str:
    """Return a program's path, or its name on the PATH; empty if it isn't given."""
    value = text(name)
    if value and shutil.which(value) is None:
        raise ImproperlyConfigured(f"{name} is {value!r}: no program that can be run is there.")
    return value


def email(name: str) -> dict[str, Any]:
    value = needed(name)
    with named(name, "give smtp://, smtp+tls:// or smtp+ssl://user:password@host:port"):
        url = split_url(value)
        # smtplib can't send others, and its error would quote a character of the password.
        if url.fragment or not unquote(url.netloc).isascii():
            raise ValueError
        # environ knows more schemes: smtps means STARTTLS to it, and not what people expect.
        if url.scheme not in MAIL_ELSEWHERE and not (url.scheme in MAIL and url.hostname):
            raise ValueError
        found: dict[str, Any] = environ.Env.email_url_config(value)
    return found


def cache(name: str, default: str) -> dict[str, Any]:
    """Return the settings of a cache, as Django's CACHES takes them."""
    value = text(name, default)
    with named(name, "give locmemcache://, or redis://:password@host:port/number"):
        split_url(value)
        found: dict[str, Any] = environ.Env.cache_url_config(value)
    return found


def sentry(name: str) -> str:
    """Return the address that Sentry shows; empty if there is none."""
    value = text(name)
    with named(name, "give the address that Sentry shows"):
        if value and split_url(value).scheme not in ("http", "https"):
            raise ValueError
    return value


@contextmanager
def named(name: str, wanted: str) -> Iterator[None]:
    """Turn any error in the block into one that names the variable and its expected value."""
    try:
        yield
    except (ValueError, OSError, LookupError, ImproperlyConfigured, ValidationError):
        hint = f" {PERCENT}." if "password" in wanted else ""
        # Without the cause: a traceback would quote the value, or a part of it.
        raise ImproperlyConfigured(f"{name}: {wanted}.{hint}") from None


def _has_fragment(address: str) -> bool:
    return bool(split_url(address).fragment)

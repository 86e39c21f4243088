"""Reads settings about time: numbers of hours or days, hours of the day, rates a minute."""

import re
from datetime import time

from django.core.exceptions import ImproperlyConfigured

YEAR = 366 * 24
LATE_RETURNS = ("refuse", "ask")
HOURS_OF_DAY = re.compile(
    r"(?P<begin>([01]\d|2[0-3]):[0-5]\d)-(?P<end>([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def whole_hours(name: str, value: str) -> int | None:
    """Return the hours, or None for an empty value. Raises ImproperlyConfigured for others."""
    value = value.strip()
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 4 and 1 <= int(value) <= YEAR):
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a whole number of hours from 1 to {YEAR},"
            " or leave it empty."
        )
    return int(value)


def late_returns(name: str, value: str) -> str:
    """Return what a return gets that is asked for too late. Raises ImproperlyConfigured."""
    if value not in LATE_RETURNS:
        raise ImproperlyConfigured(f"{name} is {value!r}: write {' or '.join(LATE_RETURNS)}.")
    return value


def whole_days(name: str, value: str) -> int:
    """Return the days, at least one. Raises ImproperlyConfigured for anything else."""
    value = value.strip()
    if not (value.isascii() and value.isdecimal() and len(value) <= 5 and int(value) >= 1):
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a whole number of days from 1 to 99999."
        )
    return int(value)


def a_minute(name: str, value: str) -> int:
    """Return the number a minute, 0 for an empty value. Raises ImproperlyConfigured for others."""
    value = value.strip()
    if not value:
        return 0
    if not (value.isascii() and value.isdecimal() and len(value) <= 6 and int(value) >= 1):
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a whole number a minute from 1 to 999999, or leave it empty"
            " for no limit."
        )
    return int(value)


def hours_of_day(name: str, value: str) -> tuple[time, time] | None:
    """Return beginning and end, which may be on the next day; None for an empty value.

    Raises ImproperlyConfigured for anything but two times of day, such as 21:00-08:00.
    """
    value = value.strip()
    if not value:
        return None
    found = HOURS_OF_DAY.fullmatch(value)
    if not found or found["begin"] == found["end"]:
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give two times of day like 21:00-08:00, or leave it empty."
        )
    return time.fromisoformat(found["begin"]), time.fromisoformat(found["end"])

"""Settings that are a number of hours or days."""

from django.core.exceptions import ImproperlyConfigured

YEAR = 366 * 24


def whole_hours(name: str, value: str) -> int | None:
    """Return the hours, or None for an empty value. Raises ImproperlyConfigured for nonsense."""
    value = value.strip()
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 4 and 1 <= int(value) <= YEAR):
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a whole number of hours from 1 to {YEAR},"
            " or leave it empty."
        )
    return int(value)


def whole_days(name: str, value: str) -> int:
    """Return the days, at least one. Raises ImproperlyConfigured for anything else."""
    value = value.strip()
    if not (value.isascii() and value.isdecimal() and len(value) <= 5 and int(value) >= 1):
        raise ImproperlyConfigured(f"{name} is {value!r}: give a whole number of days from 1 on.")
    return int(value)

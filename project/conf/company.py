"""What invoices say about the company, and the tax that prices include."""

import re
from decimal import Decimal

from django.core.exceptions import ImproperlyConfigured

PERCENT = re.compile(r"\d{1,2}(\.\d{1,3})?", re.ASCII)
LONGEST_ADDRESS = 6
"""Lines that an invoice has room for."""
LONGEST_LINE = 100
BY_HAND = "by_hand"
OCCASIONS = ("paid", "shipped", BY_HAND)


def printed_line(name: str, value: str) -> str:
    """Return a text for one line of an invoice, or nothing."""
    if not (value.isprintable() and len(value) <= LONGEST_LINE):
        raise ImproperlyConfigured(
            f"{name}: give one line of at most {LONGEST_LINE} printable characters."
        )
    return value


def address_lines(name: str, value: str) -> list[str]:
    """Return the lines of an address, which have | between them."""
    lines = [printed_line(name, line.strip()) for line in value.split("|") if line.strip()]
    if len(lines) > LONGEST_ADDRESS:
        raise ImproperlyConfigured(
            f"{name}: give at most {LONGEST_ADDRESS} lines with | between them, like"
            " 12 Long Street|EC1A 1BB London|United Kingdom."
        )
    return lines


def iban(name: str, value: str) -> str:
    """Return an IBAN in groups of four, or nothing. Its check digits must be right (ISO 13616)."""
    compact = "".join(value.split()).upper()
    if not compact:
        return ""
    digits = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4] if sign.isalnum())
    is_written_well = re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact, re.ASCII)
    if not is_written_well or int(digits) % 97 != 1:
        raise ImproperlyConfigured(
            f"{name} is {value!r}, whose check digits are wrong: copy it from the bank's papers."
        )
    return " ".join(compact[begin : begin + 4] for begin in range(0, len(compact), 4))


def percent(name: str, value: str) -> Decimal | None:
    """Return a percentage from 0 to below 100 as written; None for an empty value."""
    if not value:
        return None
    if not PERCENT.fullmatch(value):
        raise ImproperlyConfigured(
            f"{name} is {value!r}: give a percentage such as 19 or 7.7, 0 if no tax is charged."
        )
    return Decimal(value)


def invoice_occasion(name: str, value: str, *, missing: list[str]) -> str:
    """Return when invoices are issued. `missing` are the unset variables that an invoice needs."""
    if value not in OCCASIONS:
        raise ImproperlyConfigured(f"{name} is {value!r}: write {', '.join(OCCASIONS)}.")
    if value != BY_HAND and missing:
        raise ImproperlyConfigured(
            f"{name} is {value}, but an invoice needs {', '.join(missing)} as well: set them, or"
            f" {name}={BY_HAND}."
        )
    return value

"""What an operator types into a list's search: an id, a number, an e-mail address, a phone number,
words of a name. Each is found by an index, so a list costs the same however long it is.
"""

import re
import unicodedata
from functools import reduce
from operator import or_
from uuid import UUID

import phonenumbers
from django.apps import apps
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Lower, Reverse
from django.db.models.lookups import StartsWith

from project.countries import phone_region
from project.desk.address_search import searched_address

SHORTEST_PHONE = 6
"""Digits from which on a text may be a phone number."""
_PHONE = re.compile(r"\+?[\d\s()./\u2010-\u2015-]+")


def typed_id(text: str) -> UUID | None:
    """Return the text as an id, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def has_address(column: str, text: str) -> Q:
    """Return the condition that the column's e-mail address is this one or begins with it."""
    return Q(StartsWith(Lower(column), searched_address(text).lower()))


def has_phone(column: str, text: str) -> Q | None:
    """Return the condition that the column's phone number is meant; None if the text is none.

    The column is E.164, or empty. A national number may be of the shop's country or of another
    one, so its digits must be the end of the column's.
    """
    endings = phone_endings(text)
    if not endings:
        return None
    reverse = Reverse(column)
    return ~Q(**{column: ""}) & reduce(
        or_, (Q(StartsWith(reverse, ending[::-1])) for ending in sorted(endings))
    )


def phone_endings(text: str) -> set[str]:
    """Return the ends, in digits of E.164, of the phone numbers that the text may mean.

    `+49 (0)151 234567-89`, `0049 151 …`, `0151/23456789` and full-width forms mean the same.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", written)
    if not _PHONE.fullmatch(written) or len(digits) < SHORTEST_PHONE:
        return set()
    bare = digits.lstrip("0")  # without a prefix, which has two noughts at most
    endings = {bare if len(bare) >= SHORTEST_PHONE - 1 else digits}
    try:
        number = phonenumbers.parse(written, phone_region(settings.SHOP_COUNTRY))
    except phonenumbers.NumberParseException:
        pass  # without the shop's country, a national number is only its digits
    else:
        national = phonenumbers.national_significant_number(number)
        is_international = written.startswith(("+", "00"))
        endings.add(f"{number.country_code}{national}" if is_international else national)
    return {ending for ending in endings if len(ending) >= SHORTEST_PHONE - 1}


def orders_numbered(number: int) -> list[UUID]:
    """Return the id of the order with this number, for rows that know its id only.

    A list and no subquery: PostgreSQL can then combine it with other conditions by their indexes.
    """
    try:
        orders = apps.get_model("orders", "Order")
    except LookupError:  # a project without our shop
        return []
    return list(orders._default_manager.filter(number=number).values_list("pk", flat=True))

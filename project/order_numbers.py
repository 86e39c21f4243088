"""Order numbers as people write them: with the shop's prefix, words, signs or full-width digits."""

import re
import unicodedata

NUMBER_PREFIX = "T"
"""The prefix of an order's number on pages, in messages and in the API."""
LONGEST = 18
"""Digits; more don't fit the column."""
_WRITTEN = re.compile(
    r"(?:order|number|no|nr|n°|no°|订单|编号|单号|号码|号|[\s#.:：№-])*"
    rf"{NUMBER_PREFIX}?[\s-]*([0-9][0-9\s]*)",
    re.IGNORECASE,
)


def digits_of(text: str) -> int | None:
    """Return the number that the text's digits make; None without digits, or with too many."""
    digits = "".join(
        str(unicodedata.digit(character))
        for character in unicodedata.normalize("NFKC", text)
        if character.isdecimal()
    )
    return int(digits) if digits and len(digits) <= LONGEST else None


def order_number(text: str) -> int | None:
    """Return the number if the text is nothing but an order's number, else None.

    `T1023`, `#T1023`, `No. T1027`, `订单 1023` and their full-width forms are; `Bob 7` and
    `+49 431 1` are not. For search fields that take other words, too.
    """
    found = _WRITTEN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return digits_of(found[1]) if found else None

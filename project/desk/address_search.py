"""Searching a list for an e-mail address, in any of its spellings."""

from project.email_addresses import InvalidAddressError, canonical_address


def searched_address(term: str) -> str:
    """Return the term with each whole address in the form that rows have; other words stay."""
    return " ".join(map(_canonical, term.split()))


def _canonical(word: str) -> str:
    try:
        return canonical_address(word)
    except InvalidAddressError:
        return word

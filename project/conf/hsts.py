"""HSTS_…: for how long browsers ask for the shop by https only, and by which of its names.

A browser that was told so can't be told otherwise before the time is over, so each is a choice.
"""

from django.core.exceptions import ImproperlyConfigured

YEAR = 31_536_000
"""Seconds: the least that preload lists take (hstspreload.org, Submission Requirements)."""


def require_possible_hsts(*, seconds: int, subdomains: bool, preload: bool) -> None:
    """Raise ImproperlyConfigured for values that do nothing, or that no preload list takes."""
    if subdomains and not seconds:
        raise ImproperlyConfigured(
            "HSTS_SUBDOMAINS is on, but with HSTS_SECONDS=0 browsers are told nothing: give"
            " HSTS_SECONDS, or turn it off."
        )
    if preload and not (subdomains and seconds >= YEAR):
        raise ImproperlyConfigured(
            f"HSTS_PRELOAD is on, but preload lists take only HSTS_SECONDS={YEAR} (a year) or more"
            " with HSTS_SUBDOMAINS=on: set both, or turn it off."
        )

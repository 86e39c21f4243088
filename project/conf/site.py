"""What SITE_URL and ALLOWED_HOSTS must be in production."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host


def require_reachable_site(*, site_url: str, allowed_hosts: Sequence[str]) -> None:
    """Raise ImproperlyConfigured if nobody could follow the links in the shop's messages.

    In production cookies and redirects are for https only, and a host that isn't allowed is
    answered with 400. A shop that allows any host isn't taken either.
    """
    url = urlsplit(site_url)
    if url.scheme != "https":
        raise ImproperlyConfigured(
            "SITE_URL begins with http://: give https://… (cookies and links need it). Only a"
            " local run (TANDEM_LOCAL=1) or DEBUG=on may have http."
        )
    if "*" in allowed_hosts:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS has *, so the shop would answer to names that others choose: list the"
            f" shop's own host names, like {url.hostname}."
        )
    if not validate_host(url.hostname or "", allowed_hosts):
        raise ImproperlyConfigured(
            f"ALLOWED_HOSTS lacks {url.hostname}, the host of SITE_URL: every link in a message"
            " would be answered with 400. Add it."
        )

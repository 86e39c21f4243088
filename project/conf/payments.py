"""PAYMENT_PROVIDERS and STRIPE_…: the payment providers of the shop, and what each needs."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

NEEDS = {"test-bank": (), "stripe": ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")}
"""The known providers, each with the variables that it needs."""
STRIPE_KEYS = {"STRIPE_SECRET_KEY": ("sk_", "rk_"), "STRIPE_WEBHOOK_SECRET": ("whsec_",)}
"""How the keys begin: they are easily taken for one another, and for the public key."""
STRIPE_PAGES = "https://checkout.stripe.com"


def payment_providers(
    name: str, chosen: Sequence[str], *, values: Mapping[str, str], is_local: bool
) -> list[str]:
    """Return the chosen providers; "off" is none.

    Raises ImproperlyConfigured that names the wrong or missing variable.
    """
    if list(chosen) == ["off"]:
        return []
    for provider in chosen:
        if provider not in NEEDS or chosen.count(provider) > 1:
            raise ImproperlyConfigured(
                f"{name}: give some of {', '.join(NEEDS)} with commas between, each once, or off;"
                f" {provider!r} is not that, or there twice."
            )
        if provider == "test-bank" and not is_local:
            raise ImproperlyConfigured(
                f"{name} has test-bank, which takes no money: it is for a local run only."
            )
        missing = [variable for variable in NEEDS[provider] if not values.get(variable)]
        if missing:
            raise ImproperlyConfigured(f"{name} has {provider}: set {' and '.join(missing)}, too.")
        if provider == "stripe" and find_spec("stripe") is None:
            raise ImproperlyConfigured(
                f"{name} has stripe, whose SDK isn't installed:"
                " pip install -r requirements-stripe.txt"
            )
    return list(chosen)


def stripe_key(name: str, value: str) -> str:
    """Return the key, or nothing. Raises ImproperlyConfigured, without it, if it is another one."""
    if value and not (value.startswith(STRIPE_KEYS[name]) and value.isascii()):
        raise ImproperlyConfigured(
            f"{name}: give the key that begins {' or '.join(STRIPE_KEYS[name])}."
        )
    return value


def payment_pages(providers: Sequence[str], *, site_url: str) -> list[str]:
    """Return the origins of the providers' pages, to which the order's page may lead.

    Chromium applies a policy's `form-action` to the redirect that follows a form, too. The test
    bank is at SITE_URL, and a browser may be at another name of this machine.
    """
    site = urlsplit(site_url)
    origins = {"test-bank": f"{site.scheme}://{site.netloc}", "stripe": STRIPE_PAGES}
    return [origins[provider] for provider in providers]

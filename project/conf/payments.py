"""PAYMENT_… and STRIPE_…: how customers pay the shop, and what each way needs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

NEEDS = {"test-bank": (), "stripe": ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")}
"""The known providers, each with the variables that it needs."""
STRIPE_KEYS = {"STRIPE_SECRET_KEY": ("sk_", "rk_"), "STRIPE_WEBHOOK_SECRET": ("whsec_",)}
"""How the keys begin: they are easily taken for one another, and for the public key."""
STRIPE_PAGES = "https://checkout.stripe.com"
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)  # ISO 13616
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)  # ISO 9362


@dataclass(frozen=True)
class BankAccount:
    """The shop's account, to which customers transfer what they owe."""

    holder: str
    iban: str
    """Without spaces."""
    bic: str
    """Empty: not needed, as within SEPA."""

    @property
    def printed_iban(self) -> str:
        """The IBAN as people read it, in groups of four."""
        return " ".join(self.iban[at : at + 4] for at in range(0, len(self.iban), 4))


def bank_account(*, holder: str, iban: str, bic: str) -> BankAccount | None:
    """Return the account of PAYMENT_ACCOUNT_…; None if none is set.

    Raises ImproperlyConfigured that names the wrong or missing variable.
    """
    parts = {"HOLDER": holder, "IBAN": iban, "BIC": bic}
    given = [f"PAYMENT_ACCOUNT_{part}" for part, value in parts.items() if value]
    missing = [f"PAYMENT_ACCOUNT_{part}" for part in ("HOLDER", "IBAN") if not parts[part]]
    if not given:
        return None
    if missing:
        raise ImproperlyConfigured(
            f"{' and '.join(given)} needs {' and '.join(missing)}: set it, or leave all of the"
            " account empty."
        )
    account = BankAccount(holder, _joined(iban), _joined(bic))
    if not _is_iban(account.iban):
        raise ImproperlyConfigured(
            "PAYMENT_ACCOUNT_IBAN is no IBAN, or one with a mistyped letter or digit: its check"
            " digits don't fit."
        )
    if bic and not _BIC.fullmatch(account.bic):
        raise ImproperlyConfigured("PAYMENT_ACCOUNT_BIC: give 8 or 11 letters and digits, or none.")
    return account


def _joined(code: str) -> str:
    return "".join(code.split()).upper()


def _is_iban(iban: str) -> bool:
    """Tell whether the check digits fit: ISO 7064, mod 97-10, with letters as two digits."""
    if not _IBAN.fullmatch(iban):
        return False
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


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

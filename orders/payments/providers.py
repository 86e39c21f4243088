"""The providers that the shop uses: those of the setting PAYMENT_PROVIDERS, in its order."""

from collections.abc import Callable

from django.conf import settings

from orders.payments.provider import Provider


class UnknownProvider(LookupError):
    """The shop doesn't use a provider of this name."""


def used_providers() -> list[Provider]:
    """Return the providers among which the customer chooses."""
    return [_MAKERS[name]() for name in settings.PAYMENT_PROVIDERS]


def provider_named(name: str) -> Provider:
    """Return the provider. Raises UnknownProvider if the shop doesn't use it."""
    if name not in settings.PAYMENT_PROVIDERS:
        raise UnknownProvider(name)
    return _MAKERS[name]()


def _test_bank() -> Provider:
    from orders.payments.test_bank.provider import TestBank  # in a local run only

    return TestBank()


def _stripe() -> Provider:
    from orders.payments.stripe_checkout import StripeCheckout  # its SDK is an optional extra

    return StripeCheckout(
        secret_key=settings.STRIPE_SECRET_KEY, webhook_secret=settings.STRIPE_WEBHOOK_SECRET
    )


_MAKERS: dict[str, Callable[[], Provider]] = {"test-bank": _test_bank, "stripe": _stripe}

"""The interface of a payment provider: `test_bank.provider` and `stripe_checkout` implement it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol
from uuid import UUID

from django.utils.functional import Promise

from orders.models import PaymentAttempt


class Outcome(Enum):
    """What a provider reports of an attempt."""

    OPEN = "open"
    """Nobody has paid yet, or the money is still on its way."""
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """The customer gave it up, or let it expire."""


@dataclass(frozen=True)
class Started:
    """Where the customer pays."""

    reference: str
    """The provider's id of the attempt."""
    url: str


@dataclass(frozen=True)
class Report:
    """What a provider says of one attempt, by webhook or when asked."""

    outcome: Outcome
    reference: str
    """The provider's id of the attempt."""
    attempt_id: UUID | None = None
    """Our id of the attempt, which the provider was given; None if it doesn't say."""
    payment: str = ""
    """The provider's id of the payment, by which people find it there. Given if it is paid."""
    amount: Decimal | None = None
    currency: str = ""
    """ISO 4217, in capitals."""
    reason: str = ""
    """The provider's words about a failure."""


class ProviderError(Exception):
    """The provider can't be used; the message is for the log."""


class ProviderDown(ProviderError):
    """The provider can't be reached or is at fault. A later try may succeed."""


class ProviderRefused(ProviderError):
    """The provider refuses the request: a key or a setting of ours is wrong."""


class BadSignature(Exception):
    """The webhook isn't signed by the provider, or too long ago."""


class Provider(Protocol):
    """One payment provider. No method is called inside a transaction."""

    name: str
    """As in PAYMENT_PROVIDERS and in the webhook's address."""
    label: str | Promise
    """What the customer reads on the button."""

    def start(self, attempt: PaymentAttempt, *, return_url: str, leave_url: str) -> Started:
        """Prepare the provider's page. A repeat for the same attempt gives the same page.

        The page leads back to `return_url`, or to `leave_url` without a decision. Raises
        ProviderError.
        """

    def look(self, attempt: PaymentAttempt) -> Report:
        """Ask for the attempt's outcome. Raises ProviderError."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Report | None:
        """Return what the webhook reports; None if it isn't about an attempt's outcome.

        Raises BadSignature, and ValueError for a signed body that can't be read.
        """

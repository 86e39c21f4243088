"""Stripe Checkout, by Stripe's SDK: a page of Stripe's, and a webhook that the SDK verifies.

The SDK is an optional extra (requirements-stripe.txt): nothing else imports this module before
PAYMENT_PROVIDERS has `stripe`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import stripe
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from orders.models import PaymentAttempt
from orders.payments.provider import (
    BadSignature,
    Outcome,
    ProviderDown,
    ProviderRefused,
    Report,
    Started,
)

API = "https://api.stripe.com"
TIMEOUT = (3.05, 10.0)
"""Seconds to connect, and for each wait of an answer; a customer waits for it."""
RETRIES = 1
FAILED = "checkout.session.async_payment_failed"
EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    FAILED,
    "checkout.session.expired",
}
MINOR = 100
"""Minor units of one: the shop's currency always has two decimal places."""
LOCALES: dict[str, Literal["en", "zh"]] = {"en": "en", "zh-hans": "zh"}
"""Our languages by Stripe's names; in others Stripe chooses by the browser."""


class StripeCheckout:
    name = "stripe"
    label: str | Promise = gettext_lazy("card and more")

    def __init__(self, *, secret_key: str, webhook_secret: str, api: str = API) -> None:
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )

    def start(self, attempt: PaymentAttempt, *, return_url: str, leave_url: str) -> Started:
        """Create a Checkout Session; the attempt's id is its idempotency key."""
        order = attempt.order
        named = {"attempt": str(attempt.pk), "order": str(attempt.order_id)}
        with override(order.language):  # the same at each repeat, as the key demands
            title = _("Order %(number)s") % {"number": order.display_number}
        with _translated_errors():
            session = self._client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": attempt.currency.lower(),
                                "unit_amount": int(attempt.amount * MINOR),
                                "product_data": {"name": title},
                            },
                        }
                    ],
                    "client_reference_id": str(attempt.pk),
                    "customer_email": order.email,
                    "locale": LOCALES.get(order.language, "auto"),
                    "metadata": named,
                    "payment_intent_data": {"description": title, "metadata": named},
                    "success_url": return_url,
                    "cancel_url": leave_url,
                },
                {"idempotency_key": str(attempt.pk)},
            )
        if not session.url:
            raise ProviderRefused(f"session {session.id} has no page")
        return Started(reference=session.id, url=session.url)

    def look(self, attempt: PaymentAttempt) -> Report:
        """Retrieve the session, with its payment: that knows of money on its way that failed."""
        with _translated_errors():
            session = self._client.v1.checkout.sessions.retrieve(
                attempt.reference, {"expand": ["payment_intent"]}
            )
        return _report(session.to_dict())

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Report | None:
        """Verify the signature and its time by the SDK, and read a session's event."""
        try:
            event = self._client.construct_event(
                body, headers.get("Stripe-Signature", ""), self._webhook_secret
            )
            if event.type not in EVENTS:
                return None
            session = event.data.object.to_dict()
            return _report(session, has_failed=event.type == FAILED)
        except stripe.SignatureVerificationError as error:
            raise BadSignature from error
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not an event: {error!r}") from error


def _report(session: Mapping[str, Any], *, has_failed: bool = False) -> Report:
    """Return what a Checkout Session says. Its payment is an id, or an object if expanded."""
    intent = session.get("payment_intent") or ""
    facts: Mapping[str, Any] = {} if isinstance(intent, str) else intent
    error = facts.get("last_payment_error") or {}
    outcome = Outcome.OPEN
    if session["payment_status"] == "paid":
        outcome = Outcome.PAID
    elif session["status"] == "expired":
        outcome = Outcome.CANCELLED
    elif has_failed or (session["status"] == "complete" and error):
        outcome = Outcome.FAILED
    return Report(
        outcome=outcome,
        reference=session["id"],
        attempt_id=_uuid(session.get("client_reference_id")),
        payment=intent if isinstance(intent, str) else str(facts.get("id", "")),
        amount=Decimal(session.get("amount_total") or 0) / MINOR,
        currency=str(session.get("currency") or "").upper(),
        reason=str(error.get("message") or ""),
    )


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (TypeError, ValueError):
        return None


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise ProviderDown or ProviderRefused for the SDK's errors."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderDown(str(error)) from error
    except stripe.StripeError as error:
        is_down = (error.http_status or 500) >= 500 or error.http_status == 409
        raise (ProviderDown if is_down else ProviderRefused)(str(error)) from error

"""The test bank as the shop uses it: the interface of `orders.payments.provider`."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from notifications.receipts.signature import is_signed
from orders.models import PaymentAttempt
from orders.payments.provider import BadSignature, Outcome, Report, Started
from orders.payments.test_bank.store import BankStore
from orders.payments.test_bank.webhook import SIGNATURE, TIMESTAMP, said, webhook_secret


class TestBank:
    __test__ = False  # pytest takes its name for a test's
    name = "test-bank"
    label: str | Promise = gettext_lazy("test bank")

    def start(self, attempt: PaymentAttempt, *, return_url: str, leave_url: str) -> Started:
        """Store the payment; its page is at /test-bank/."""
        payment = BankStore().add(
            attempt_id=attempt.pk,
            shop=settings.SHOP_NAME,
            order=attempt.order.display_number,
            amount=str(attempt.amount),
            currency=attempt.currency,
            return_url=return_url,
            leave_url=leave_url,
        )
        page = reverse("test-bank-payment", kwargs={"payment_id": payment.id})
        return Started(reference=payment.id, url=settings.SITE_URL + page)

    def look(self, attempt: PaymentAttempt) -> Report:
        """Read the payment. One whose file is gone was never paid."""
        payment = BankStore().get(attempt.reference)
        if payment is None:
            return Report(outcome=Outcome.CANCELLED, reference=attempt.reference)
        return _report(said(payment))

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> Report | None:
        """Verify the signature and its time, and read the payment."""
        if not is_signed(
            body,
            secret=webhook_secret(),
            timestamp=headers.get(TIMESTAMP, ""),
            signature=headers.get(SIGNATURE, ""),
        ):
            raise BadSignature
        event = json.loads(body)
        if not isinstance(event, dict):
            raise ValueError("not an event")
        return _report(event.get("payment")) if event.get("type") == "payment" else None


def _report(words: Any) -> Report:
    """Return the report of what the bank says. Raises ValueError."""
    try:
        return Report(
            outcome=Outcome(words["outcome"]),
            reference=words["id"],
            attempt_id=UUID(words["attempt"]),
            payment=words["id"],
            amount=Decimal(words["amount"]),
            currency=words["currency"],
        )
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"not a payment: {error!r}") from error

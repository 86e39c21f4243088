"""What the order's page says about money: what is due, how to pay it, and how the last try went."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from django.conf import settings
from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from orders.lifecycle.payouts import due_of
from orders.models import Order, PaymentAttempt, Refund
from orders.payments.providers import used_providers
from project.database.clock import database_now
from project.templatetags.money import money

Status = PaymentAttempt.Status
Tone = Literal["plain", "wait", "bad"]

ANSWER_COMES = timedelta(hours=1)
"""After so long the page doesn't say any more that the bank's answer is on its way."""


@dataclass(frozen=True)
class Way:
    """A button that leads to a provider."""

    provider: str
    label: str | Promise


@dataclass(frozen=True)
class PaymentState:
    due: Decimal
    headline: str
    """What is due or owed back; empty if there is nothing to say about money."""
    text: str = ""
    """How the last try went, and what to do."""
    tone: Tone = "plain"
    ways: tuple[Way, ...] = ()
    waits_since: timedelta | None = None
    """How long the customer waits for the bank's answer; None: for no answer."""

    @property
    def version(self) -> tuple[object, ...]:
        """What of it the page shows, but the time."""
        ways = tuple(way.provider for way in self.ways)
        return self.due, self.headline, self.text, ways, self.waits_since is not None


def read_payment(order: Order) -> PaymentState:
    """Return the state of the order's payment, in up to four queries."""
    due = due_of(order)
    if not due:
        return PaymentState(due, _owed_back(order))
    amounts = {"due": money(due, order.currency), "total": money(order.total, order.currency)}
    if due < order.total:
        headline = _("%(due)s of %(total)s is still due.") % amounts
    else:
        headline = _("%(due)s is due.") % amounts
    ways = tuple(Way(each.name, each.label) for each in used_providers())
    attempt = order.payment_attempts.order_by("-created_at", "-pk").first()
    if attempt is None:
        return PaymentState(due, headline, _how_to_pay(ways), ways=ways)
    if attempt.status == Status.TO_CHECK:
        text = _(
            "Your last payment doesn't match this order, so we look at it first. You need do"
            " nothing: we'll write to you."
        )
        return PaymentState(due, headline, text, tone="wait")
    waits = database_now() - attempt.returned_at if attempt.returned_at else None
    if attempt.status == Status.STARTED and waits is not None and waits < ANSWER_COMES:
        text = _("We wait for the bank's answer about your payment. This page shows it.")
        return PaymentState(due, headline, text, tone="wait", ways=ways, waits_since=waits)
    if attempt.status == Status.FAILED:
        text = _("The last payment didn't work, and nothing was paid by it. You can try again.")
        return PaymentState(due, headline, text, tone="bad", ways=ways)
    if attempt.status == Status.CANCELLED:
        text = _("The last payment was cancelled, and nothing was paid by it. You can try again.")
        return PaymentState(due, headline, text, ways=ways)
    return PaymentState(due, headline, _how_to_pay(ways), ways=ways)


def _how_to_pay(ways: tuple[Way, ...]) -> str:
    if settings.PAYMENT_INSTRUCTIONS:
        return str(settings.PAYMENT_INSTRUCTIONS)
    return "" if ways else _("We'll tell you how to pay it.")


def _owed_back(order: Order) -> str:
    """Return what the shop still has to send back to the customer, as a sentence."""
    owed = order.refunds.filter(status=Refund.Status.OWED).aggregate(sum=Sum("amount"))["sum"]
    if not owed:
        return ""
    return _("You get back %(amount)s.") % {"amount": money(owed, order.currency)}

"""What the order's page says about money: what is due, how to pay it, and how the last try went."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from orders.lifecycle.expiry import pays_until
from orders.lifecycle.payouts import due_of
from orders.models import Order, PaymentAttempt, Refund
from orders.payments.methods import Method, open_methods
from orders.placing.payment_choice import AT_PICKUP, TRANSFER
from project.conf.payments import BankAccount
from project.database.clock import database_now
from project.templatetags.money import money

Status = PaymentAttempt.Status
Tone = Literal["plain", "wait", "bad"]

ANSWER_COMES = timedelta(hours=1)
"""After so long the page doesn't say any more that the bank's answer is on its way."""


@dataclass(frozen=True)
class PaymentState:
    due: Decimal
    headline: str = ""
    """What is due or owed back; empty if there is nothing to say about money."""
    text: str = ""
    """How the last try went, and what to do."""
    tone: Tone = "plain"
    chosen: str = ""
    """The method that the customer chose and that is still offered; empty: none."""
    ways: tuple[Method, ...] = ()
    """The buttons: the chosen provider comes first, and the chosen way without one has none."""
    account: BankAccount | None = None
    """The account to which a chosen transfer goes."""
    until: datetime | None = None
    """After it an order of which nothing is paid may be cancelled; None: no such time."""
    is_late: bool = False
    """True if that time is over."""
    waits_since: timedelta | None = None
    """How long the customer waits for the bank's answer; None: for no answer."""
    is_being_checked: bool = False
    """True if money came that doesn't fit: the staff look at it before anybody pays again."""


def read_payment(order: Order) -> PaymentState:
    """Return the state of the order's payment, in up to five queries."""
    due = due_of(order)
    if not due:
        return PaymentState(due, _sent_back(order))
    methods = open_methods(order, due=due)
    chosen = next((each.name for each in methods if each.name == order.payment_method), "")
    is_part = due < order.total
    until = None if is_part else pays_until(order)
    state = PaymentState(
        due,
        _due_headline(order, due),
        text=_how_to_pay(chosen, methods),
        chosen=chosen,
        ways=_buttons(chosen, methods),
        account=settings.PAYMENT_ACCOUNT if chosen == TRANSFER else None,
        until=until,
        is_late=until is not None and until <= database_now(),
    )
    attempt = order.payment_attempts.order_by("-created_at", "-pk").first()
    return _with_last_try(state, attempt) if attempt else state


def _due_headline(order: Order, due: Decimal) -> str:
    amounts = {"due": money(due, order.currency), "total": money(order.total, order.currency)}
    if due < order.total:
        return _("%(due)s of %(total)s is still due.") % amounts
    return _("%(due)s is due.") % amounts


def _with_last_try(state: PaymentState, attempt: PaymentAttempt) -> PaymentState:
    """Return the state with what the customer's last way to a provider came to.

    Who has chosen another way since isn't told about a try without money.
    """
    if attempt.status == Status.TO_CHECK:
        text = _(
            "Your last payment doesn't match this order, so we look at it first. You need do"
            " nothing: we'll write to you."
        )
        return replace(
            state, text=text, tone="wait", ways=(), account=None, until=None, is_being_checked=True
        )
    waits = database_now() - attempt.returned_at if attempt.returned_at else None
    if attempt.status == Status.STARTED and waits is not None and waits < ANSWER_COMES:
        text = _("We wait for the bank's answer about your payment. This page shows it.")
        ways = tuple(way for way in state.ways if way.name == attempt.provider)
        return replace(state, text=text, tone="wait", ways=ways, account=None, waits_since=waits)
    if state.chosen not in ("", attempt.provider):
        return state
    if attempt.status == Status.FAILED:
        text = _("The last payment didn't work, and nothing was paid by it. You can try again.")
        return replace(state, text=text, tone="bad")
    if attempt.status == Status.CANCELLED:
        text = _("The last payment was cancelled, and nothing was paid by it. You can try again.")
        return replace(state, text=text)
    return state


def _buttons(chosen: str, methods: list[Method]) -> tuple[Method, ...]:
    shown = [way for way in methods if way.name != chosen or way.is_online]
    return tuple(sorted(shown, key=lambda way: way.name != chosen))


def _how_to_pay(chosen: str, methods: list[Method]) -> str:
    if chosen == TRANSFER:
        return _("Please transfer it to this account, with the reference below.")
    if chosen == AT_PICKUP:
        return _("You pay it when you pick your order up.")
    if settings.PAYMENT_INSTRUCTIONS:
        return str(settings.PAYMENT_INSTRUCTIONS)
    return "" if methods else _("We'll tell you how to pay it.")


def _sent_back(order: Order) -> str:
    """Return what the shop still has to send back to the customer, as a sentence."""
    owed = order.refunds.filter(status=Refund.Status.OWED).aggregate(sum=Sum("amount"))["sum"]
    if not owed:
        return ""
    return _("You get back %(amount)s.") % {"amount": money(owed, order.currency)}

"""The payment state on an order's page at the desk: paid, given back, left to pay, and expiry."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from orders.lifecycle.payouts import due_of, paid_so_far, refunded_so_far
from orders.models import Order
from project.templatetags.money import money


@dataclass(frozen=True)
class PaymentState:
    paid: str
    left: str
    """The amount left to pay; empty if there is none or the order doesn't need it any more."""
    given_back: str = ""
    """The sum of the refunds; empty if there is none."""
    expires_at: datetime | None = None
    """When the order expires."""
    is_overdue: bool = False
    """True if the order is past its due time but paid in part: an operator has to decide."""


def read_payment(order: Order) -> PaymentState:
    """Return the state of the order's payment, in a few queries."""
    paid, refunded, left = paid_so_far(order), refunded_so_far(order), due_of(order)
    state = PaymentState(
        paid=money(paid, order.currency),
        left=money(left, order.currency) if left else "",
        given_back=money(refunded, order.currency) if refunded else "",
    )
    hours = settings.PAYMENT_DUE_HOURS
    if order.status != Order.Status.PLACED or not left or hours is None:
        return state
    due = order.placed_at + timedelta(hours=hours)
    if order.payments.exists():
        return replace(state, is_overdue=due <= timezone.now())
    return replace(state, expires_at=due)

"""The payment state on an order's page at the desk: paid, given back, left to pay, and expiry."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from orders.lifecycle.transitions import paid_so_far, refunded_so_far
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
    """Return the state of the order's payment, in two queries."""
    paid = paid_so_far(order)
    if order.status != Order.Status.PLACED or paid == order.total:
        refunded = refunded_so_far(order)
        given_back = money(refunded, order.currency) if refunded else ""
        return PaymentState(money(paid, order.currency), "", given_back)
    state = PaymentState(money(paid, order.currency), money(order.total - paid, order.currency))
    if settings.PAYMENT_DUE_HOURS is None:
        return state
    due = order.placed_at + timedelta(hours=settings.PAYMENT_DUE_HOURS)
    if paid:
        return PaymentState(state.paid, state.left, is_overdue=due <= timezone.now())
    return PaymentState(state.paid, state.left, expires_at=due)

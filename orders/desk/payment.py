"""An order's money on its page at the desk: what is owed, and its payments and refunds as rows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from orders.lifecycle.expiry import pays_until
from orders.lifecycle.payouts import due_after
from orders.models import Order, Payment, PaymentAttempt, Refund, RefundLine
from orders.payments.methods import open_methods
from project.templatetags.money import money

COLOURS = {
    Refund.Status.OWED.value: "danger",
    Refund.Status.PAID_OUT.value: "success",
    Refund.Status.NOT_OWED.value: "",
}


@dataclass(frozen=True)
class MoneyRow:
    """One payment, counter-entry or refund."""

    what: str
    amount: str
    when: datetime
    user: Any
    reference: str = ""
    reason: str = ""
    status: str | Promise = ""
    colour: str = ""
    step: tuple[str, str] | None = None
    """The label and URL of what can be done about it."""
    is_for_all: bool = False
    """Not only those who may refund may do that."""


@dataclass(frozen=True)
class PaymentState:
    paid: str
    left: str
    """The amount left to pay; empty if there is none or the order doesn't need it any more."""
    due: Decimal
    given_back: str = ""
    """The sum of the refunds; empty if there is none."""
    owed: str = ""
    """The sum of the refunds that are owed; empty if there is none."""
    payout_url: str = ""
    """Where the pay-out of the oldest owed refund is entered."""
    to_check: str = ""
    """The sum of the attempts that are to check; empty if there is none."""
    resolve_url: str = ""
    """Where the oldest of them is resolved."""
    expires_at: datetime | None = None
    """When the order expires."""
    chosen: str = ""
    """How the customer wants to pay what is due, in words; empty: not chosen yet."""
    is_overdue: bool = False
    """True if the order is past its due time but paid in part: an operator has to decide."""
    rows: list[MoneyRow] = field(default_factory=list)
    returned: dict[int, int] = field(default_factory=dict)
    """The units that refunds brought back to the stock, by the id of the line."""


def read_payment(order: Order) -> PaymentState:
    """Return the state of the order's money, in three queries."""
    payments = list(order.payments.select_related("user"))
    lines = RefundLine.objects.filter(refund=OuterRef("pk")).order_by("pk")
    refunds: list[Any] = list(
        order.refunds.select_related("user", "paid_out_by").annotate(
            units=ArraySubquery(
                lines.values(
                    json=JSONObject(line="line_id", count="quantity", back="units_restocked")
                )
            )
        )
        if payments or order.status != Order.Status.PLACED
        else ()
    )
    doubtful = list(
        order.payment_attempts.filter(status=PaymentAttempt.Status.TO_CHECK).order_by("created_at")
    )
    to_check = sum((attempt.amount for attempt in doubtful), Decimal(0))
    paid = sum((payment.amount for payment in payments), Decimal(0))
    counted = [refund for refund in refunds if refund.status != Refund.Status.NOT_OWED]
    refunded = sum((refund.amount for refund in counted), Decimal(0))
    surplus = sum((refund.amount for refund in counted if not refund.units), Decimal(0))
    owed = [refund for refund in refunds if refund.status == Refund.Status.OWED]
    owed_sum = sum((refund.amount for refund in owed), Decimal(0))
    due = due_after(order, paid=paid, returned=surplus)
    expires_at, is_overdue = _expiry(order, due, has_payment=bool(payments))
    returned: dict[int, int] = {}
    for refund in refunds:
        for unit in refund.units:
            of_all = unit["count"] if refund.restocked else 0
            back = of_all if unit["back"] is None else unit["back"]
            returned[unit["line"]] = returned.get(unit["line"], 0) + back
    return PaymentState(
        paid=money(paid, order.currency),
        left=money(due, order.currency) if due else "",
        due=due,
        given_back=money(refunded, order.currency) if refunded else "",
        owed=money(owed_sum, order.currency) if owed else "",
        payout_url=payout_url(owed[0]) if owed else "",
        to_check=money(to_check, order.currency) if doubtful else "",
        resolve_url=resolve_url(doubtful[0]) if doubtful else "",
        expires_at=expires_at,
        chosen=_chosen(order, due),
        is_overdue=is_overdue,
        rows=_rows(order, payments, refunds, doubtful),
        returned=returned,
    )


def _chosen(order: Order, due: Decimal) -> str:
    labels = {each.name: str(each.label) for each in open_methods(order, due=due)}
    return labels.get(order.payment_method, order.payment_method) if due else ""


def payout_url(refund: Refund) -> str:
    return reverse("admin:orders_order_payout", args=[refund.order_id, refund.pk])


def _expiry(order: Order, due: Decimal, *, has_payment: bool) -> tuple[datetime | None, bool]:
    hours = settings.PAYMENT_DUE_HOURS
    if order.status != Order.Status.PLACED or not due or hours is None:
        return None, False
    if has_payment:
        return None, order.placed_at + timedelta(hours=hours) <= timezone.now()
    return pays_until(order), False


def resolve_url(attempt: PaymentAttempt) -> str:
    return reverse("admin:orders_order_resolve", args=[attempt.order_id, attempt.pk])


def _rows(
    order: Order,
    payments: list[Payment],
    refunds: list[Refund],
    doubtful: list[PaymentAttempt],
) -> list[MoneyRow]:
    undone = {payment.undoes_id for payment in payments}
    rows = [_payment_row(order, payment, is_undone=payment.pk in undone) for payment in payments]
    rows += [_refund_row(order, refund) for refund in refunds]
    rows += [_attempt_row(attempt) for attempt in doubtful]
    return sorted(rows, key=lambda row: row.when)


def _payment_row(order: Order, payment: Payment, *, is_undone: bool) -> MoneyRow:
    may_undo = not (is_undone or payment.undoes_id or payment.provider) and payment.amount > 0
    url = reverse("admin:orders_order_undo", args=[order.pk, payment.pk])
    return MoneyRow(
        what=str(payment.get_method_display()),
        amount=_signed(payment.amount, order.currency),
        when=payment.created_at,
        user=payment.user,
        reference="" if payment.undoes_id else payment.reference,
        reason=payment.reason,
        status=_("Undone") if is_undone else _("Counter-entry") if payment.undoes_id else "",
        step=(_("Undo"), url) if may_undo else None,
    )


def _refund_row(order: Order, refund: Refund) -> MoneyRow:
    is_owed = refund.status == Refund.Status.OWED
    return MoneyRow(
        what=_("Refund"),
        amount=_signed(-refund.amount, order.currency),
        when=refund.created_at,
        user=refund.paid_out_by or refund.user,
        reference=refund.payout_reference,
        reason=refund.reason,
        status=refund.get_status_display(),
        colour=COLOURS[refund.status],
        step=(_("Enter the pay-out"), payout_url(refund)) if is_owed else None,
    )


def _attempt_row(attempt: PaymentAttempt) -> MoneyRow:
    return MoneyRow(
        what=_("Online payment, not entered"),
        amount=money(attempt.amount, attempt.currency),
        when=attempt.finished_at or attempt.created_at,
        user=None,
        reference=attempt.reason,
        reason=str(attempt.get_doubt_display()),
        status=attempt.get_status_display(),
        colour="warning",
        step=(_("Resolve the payment"), resolve_url(attempt)),
        is_for_all=True,
    )


def _signed(amount: Decimal, currency: str) -> str:
    shown = money(abs(amount), currency)
    return f"−{shown}" if amount < 0 else shown

"""Money that goes back: what the shop owes to a customer, and its pay-out.

A refund is owed from the transaction of its cause on: a cancellation, returned goods, or money
that the order didn't need. The staff are told in the same transaction, and the desk has a list of
what is owed. Whoever sends the money enters its pay-out.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from django.conf import settings
from django.db.models import Sum, Value
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from notifications.models import Notification
from notifications.outbox import staff_messages
from orders.accounts.staff import staff
from orders.lifecycle.errors import DoneDifferently, InvalidTransition, TransitionError
from orders.lifecycle.steps import Kind, Status, cleaned_code, lock, one_transaction, record, touch
from orders.models import Order, Payment, Refund, User
from orders.placing.webhook_events import tell_refund
from project.templatetags.money import money

TAKES_MONEY = (Status.PLACED, Status.PACKED, Status.SHIPPED, Status.DELIVERED)
"""The statuses in which an order may be unpaid: a payment can be undone after the packing."""


class UnknownRefund(TransitionError):
    """There is no such refund."""

    def __init__(self) -> None:
        super().__init__(_("There is no such refund."))


def paid_so_far(order: Order) -> Decimal:
    """Return the sum of the order's payments."""
    return order.payments.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def refunded_so_far(order: Order) -> Decimal:
    """Return the sum of the order's refunds, owed or paid out."""
    refunds = order.refunds.exclude(status=Refund.Status.NOT_OWED)
    return refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


@dataclass(frozen=True)
class Balance:
    """An order's money at one moment."""

    paid: Decimal
    """The sum of its payments."""
    due: Decimal
    """What the customer still has to pay; nothing for a cancelled or refunded order."""


def balance_of(order: Order) -> Balance:
    """Return what was paid and what is due, by one query.

    Payments that the order didn't need are owed back: they don't count.
    """
    surplus = Refund.objects.filter(order=order.pk, lines=None)
    surplus = surplus.exclude(status=Refund.Status.NOT_OWED).order_by()
    payments = Payment.objects.filter(order=order.pk).order_by()
    amounts = payments.values_list(Value("paid"), "amount").union(
        surplus.values_list(Value("returned"), "amount"), all=True
    )
    sums = {"paid": Decimal(0), "returned": Decimal(0)}
    for kind, amount in amounts:
        sums[kind] += amount
    return Balance(paid=sums["paid"], due=due_after(order, **sums))


def due_of(order: Order) -> Decimal:
    """Return what the customer still has to pay, as `balance_of` does."""
    return balance_of(order).due if order.status in TAKES_MONEY else Decimal(0)


def due_after(order: Order, *, paid: Decimal, returned: Decimal) -> Decimal:
    """Return what is due after payments of `paid`, of which `returned` weren't needed."""
    if order.status not in TAKES_MONEY:
        return Decimal(0)
    return max(order.total - paid + returned, Decimal(0))


def owe(
    order: Order,
    *,
    refund_id: UUID,
    amount: Decimal,
    reason: str,
    user: User | None,
    restocked: bool = False,
) -> Refund:
    """Enter a refund that is owed and tell the staff, within the caller's transaction.

    The order is locked by the caller. A refund of nothing (free goods) needs no pay-out.
    """
    nothing = {"status": Refund.Status.PAID_OUT, "paid_out_at": Now()}
    refund = Refund.objects.create(
        id=refund_id,
        order=order,
        amount=amount,
        restocked=restocked,
        reason=reason,
        user=user,
        **({} if amount else nothing),
    )
    if amount:
        tell_refund("owed", order, refund)
        Notification.objects.bulk_create(
            staff_messages(
                event="refund_owed",
                readers=staff(),
                occasion=str(refund.pk),
                context=owed_context(refund, order),
            )
        )
    return refund


def owe_the_rest(order: Order, *, reason: str, user: User | None) -> Decimal:
    """Owe all payments of a cancelled order that weren't refunded yet; return their sum."""
    rest = paid_so_far(order) - refunded_so_far(order)
    if rest <= 0:
        return Decimal(0)
    earlier = order.refunds.filter(lines=None, status=Refund.Status.NOT_OWED).count()
    occasion = f"cancelled-{earlier}" if earlier else "cancelled"
    owe(
        order,
        refund_id=uuid5(order.pk, occasion),
        amount=rest,
        restocked=True,
        reason=reason,
        user=user,
    )
    return rest


def pay_out(*, refund_id: UUID, reference: str, user: User | None = None) -> Refund:
    """Enter that the money of an owed refund was sent. A repeat with this reference is a repeat.

    `reference` identifies the pay-out, such as a transfer's id. Raises a `TransitionError`.
    """
    reference = cleaned_code(reference, name=_("Reference"), max_length=100)
    known = Refund.objects.filter(pk=refund_id).first()
    if known is None:
        raise UnknownRefund
    with one_transaction():
        order = lock(known.order_id)
        won = Refund.objects.filter(pk=refund_id, status=Refund.Status.OWED).update(
            status=Refund.Status.PAID_OUT,
            payout_reference=reference,
            paid_out_at=Now(),
            paid_out_by=user,
        )
        refund = Refund.objects.get(pk=refund_id)
        if won:
            touch(order.pk)
            record(order, Kind.PAID_OUT, user=user, amount=str(refund.amount), reference=reference)
            tell_refund("paid_out", order, refund)
    if not won and refund.payout_reference != reference:
        raise not_owed(refund)
    return refund


def not_owed(refund: Refund) -> TransitionError:
    """Return why nothing is paid out for a refund that is settled."""
    if refund.status == Refund.Status.NOT_OWED:
        return InvalidTransition(_("This refund isn't owed any more: its payment was undone."))
    return DoneDifferently(
        _("%(amount)s was paid out already, as %(reference)s.")
        % {
            "amount": money(refund.amount, refund.order.currency),
            "reference": refund.payout_reference or "—",
        }
    )


def owed_context(refund: Refund, order: Order) -> dict[str, str]:
    """Return the context of the message to the staff about an owed refund."""
    return {
        "number": order.display_number,
        "name": order.name,
        "amount": str(refund.amount),
        "currency": order.currency,
        "reason": refund.reason,
        "url": f"{settings.SITE_URL}{reverse('admin:orders_order_change', args=[order.pk])}",
    }

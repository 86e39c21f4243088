"""Money that comes in: payments entered at the desk or by a provider, and their counter-entries."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from django.utils.translation import gettext as _
from django.utils.translation import override

from orders.lifecycle.errors import DoneDifferently, InvalidTransition, TransitionError, WrongStatus
from orders.lifecycle.payouts import due_of, owe, owe_the_rest, paid_so_far, refunded_so_far
from orders.lifecycle.steps import (
    Kind,
    Status,
    cleaned,
    cleaned_code,
    lock,
    move,
    one_transaction,
    read,
    record,
    require_seen,
    touch,
)
from orders.models import Order, Payment, Refund, User
from project.templatetags.money import money

CENT = Decimal("0.01")


class UnknownPayment(TransitionError):
    """There is no such payment."""

    def __init__(self) -> None:
        super().__init__(_("There is no such payment."))


def pay(
    *,
    order_id: UUID,
    method: str,
    reference: str,
    amount: Decimal,
    user: User | None = None,
    seen: datetime | None = None,
) -> Order:
    """Enter a payment; the order is paid when the sum of its payments is its total.

    `method` is one of `Payment.BY_HAND`; `method` and `reference` are the payment's idempotency
    key. An amount above the due amount is refused. `seen`: see `require_seen`.
    """
    reference = cleaned_code(reference, name=_("Reference"), max_length=100)
    if method not in Payment.BY_HAND:
        raise InvalidTransition(_("There is no such method of payment."))
    if not amount.is_finite() or amount < 0 or amount != amount.quantize(CENT):
        raise InvalidTransition(_("Enter an amount of money."))
    with one_transaction():
        order = lock(order_id)
        taken = order.payments.filter(method=method, reference=reference).first()
        if taken and taken.amount != amount:
            raise DoneDifferently(
                _("Payment %(reference)s was taken already, as %(amount)s.")
                % {"reference": reference, "amount": money(taken.amount, order.currency)}
            )
        if taken and Payment.objects.filter(undoes=taken).exists():
            raise DoneDifferently(
                _("Payment %(reference)s was undone: enter it again under another reference.")
                % {"reference": reference}
            )
        if taken:
            return order
        due = due_of(order)
        if order.status != Status.PLACED and not due:
            raise WrongStatus(order, to=Status.PAID)
        require_seen(order, seen=seen)
        if amount > due or (due and not amount):
            raise InvalidTransition(
                _("Order %(number)s has %(due)s left to pay: take that, or a part of it.")
                % {"number": order, "due": money(due, order.currency)}
            )
        Payment.objects.create(
            order=order, method=method, reference=reference, amount=amount, user=user
        )
        is_all = amount == due
        _enter(order, is_all=is_all)
        order = read(order_id)
        record(
            order,
            Kind.PAID if is_all else Kind.PART_PAID,
            user=user,
            occasion=_occasion(order),
            method=method,
            reference=reference,
            amount=str(amount),
        )
    return order


def capture(*, order_id: UUID, provider: str, reference: str, amount: Decimal) -> Order:
    """Enter money that a provider has taken for the order, in the order's currency.

    See `enter_captured`, of which this is the transaction.
    """
    with one_transaction():
        order = lock(order_id)
        return enter_captured(order, provider=provider, reference=reference, amount=amount)


def enter_captured(
    order: Order, *, provider: str, reference: str, amount: Decimal, user: User | None = None
) -> Order:
    """Enter money that a provider has taken, within the transaction that has locked the order.

    `provider` and `reference` are the payment's idempotency key, so webhook, return page and
    `user`, who looked at it, enter one payment. It is never refused for the order's status, because
    the money is there: what the order doesn't need (it is cancelled, or paid already) is owed to
    the customer at once. Raises DoneDifferently if the key has another payment.
    """
    taken = Payment.objects.filter(provider=provider, reference=reference).first()
    if taken and (taken.order_id != order.pk or taken.amount != amount):
        raise DoneDifferently(
            _("Payment %(reference)s was taken already, as %(amount)s.")
            % {"reference": reference, "amount": money(taken.amount, order.currency)}
        )
    if taken:
        return order
    due = due_of(order)
    is_due = due > 0 or order.status == Status.PLACED
    payment = Payment.objects.create(
        order=order,
        method=Payment.Method.ONLINE,
        provider=provider,
        reference=reference,
        amount=amount,
        user=user,
    )
    is_all = is_due and amount >= due
    _enter(order, is_all=is_all)
    order = read(order.pk)
    kind = Kind.PAID if is_all else Kind.PART_PAID if is_due else Kind.OVERPAID
    record(
        order,
        kind,
        user=user,
        occasion=_occasion(order),
        method=Payment.Method.ONLINE.value,
        reference=reference,
        amount=str(amount),
    )
    if amount > due:
        with override(order.language):  # a webhook has no language; the customer may read it
            reason = _("It was paid when nothing was due any more.")
        surplus_id = uuid5(order.pk, f"surplus-{payment.pk}")
        owe(order, refund_id=surplus_id, amount=amount - due, reason=reason, user=user)
    return order


def undo_payment(*, payment_id: int, reason: str, user: User | None = None) -> Order:
    """Undo a mistyped payment by a counter-entry of its negative amount.

    A paid order that wasn't packed is unpaid again; it doesn't expire, because it has payments. On
    a cancelled order what is owed is computed anew. Refused if a refund needs the payment. A
    repeat changes nothing. Money that a provider took can't be undone: it is refunded.
    """
    reason = cleaned(reason, name=_("Reason"), max_length=200)
    known = Payment.objects.filter(pk=payment_id).first()
    if known is None:
        raise UnknownPayment
    with one_transaction():
        order = lock(known.order_id)
        if Payment.objects.filter(undoes=known).exists():
            return order
        if known.undoes_id or not known.amount or known.provider:
            raise InvalidTransition(_("Only a payment that was entered by hand can be undone."))
        Payment.objects.create(
            order=order,
            method=known.method,
            reference=f"undone-{known.pk}",
            amount=-known.amount,
            undoes=known,
            reason=reason,
            user=user,
        )
        if order.status == Status.CANCELLED:
            owed = order.refunds.filter(lines=None, status=Refund.Status.OWED)
            owed.update(status=Refund.Status.NOT_OWED)
        if paid_so_far(order) < refunded_so_far(order):
            raise InvalidTransition(
                _("Payment %(reference)s can't be undone: a refund of this order needs it.")
                % {"reference": known.reference}
            )
        if order.status == Status.PAID:
            move(order.pk, to=Status.PLACED, among=(Status.PAID,))
        else:
            touch(order.pk)
        order = read(order.pk)
        record(
            order,
            Kind.PAYMENT_UNDONE,
            user=user,
            amount=str(known.amount),
            reference=known.reference,
            reason=reason,
        )
        if order.status == Status.CANCELLED:
            owe_the_rest(order, reason=reason, user=user)
    return order


def _enter(order: Order, *, is_all: bool) -> None:
    """Move the order to paid if all is paid now; a packed or later one keeps its status."""
    if not (is_all and move(order.pk, to=Status.PAID)):
        touch(order.pk)


def _occasion(order: Order) -> str:
    """Return what tells the messages apart if a payment was undone and the order paid again."""
    earlier = order.events.filter(kind=Kind.PAID).count()
    return f"paid-{earlier}" if earlier else ""

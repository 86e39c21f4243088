"""The transitions of a placed order: the services that desk, shop and tasks call.

placed → paid → packed → shipped → delivered (packed → delivered for a pickup); placed, paid,
packed → cancelled; paid and later → refunded. Each function takes the order's id and returns the
order. Each is idempotent: a repeat changes nothing. Each commits its own transaction and refuses
to run inside an open one. Each raises a `TransitionError` with the reason for a refusal.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from media_jobs.models import MediaJob
from media_jobs.recipes import INVOICE
from orders.invoicing.issue import credit_rest
from orders.lifecycle.errors import DoneDifferently, InvalidTransition, WrongStatus
from orders.lifecycle.payments import pay
from orders.lifecycle.payouts import owe_the_rest
from orders.lifecycle.refunds import refund
from orders.lifecycle.restock import lock_stock, return_to_stock
from orders.lifecycle.steps import (
    BEFORE_PACKING,
    COMES_FROM,
    Kind,
    Status,
    cleaned,
    cleaned_code,
    lock,
    move,
    one_transaction,
    packed_from,
    read,
    record,
    require_seen,
    touch,
)
from orders.models import Order, Payment, StockMovement, User
from orders.placing.payment_choice import AT_PICKUP
from orders.placing.settle import settle
from orders.vouchers.uses import give_back_use, lock_voucher
from project.jobs.queryset import Status as JobStatus

__all__ = ["cancel", "correct_parcel", "deliver", "expire", "pack", "pay", "refund", "ship"]


def pack(*, order_id: UUID, user: User | None = None) -> Order:
    """Mark a paid order as packed, or one that is paid at pick-up.

    From now on its shopper can't cancel it.
    """
    return _advance(order_id, to=Status.PACKED, user=user)


def ship(
    *, order_id: UUID, carrier: str, tracking_number: str = "", user: User | None = None
) -> Order:
    """Mark a packed order as shipped. A call with the same parcel is a repeat.

    One that is fetched in the shop is refused: nobody would know where it goes.
    """
    order = read(order_id)
    if order.status == Status.PACKED and not order.address:
        raise InvalidTransition(
            _("Order %(number)s is picked up in the shop: mark it as delivered once it was.")
            % {"number": order}
        )
    return _advance(
        order_id,
        to=Status.SHIPPED,
        user=user,
        detail=_parcel(carrier, tracking_number),
    )


def deliver(*, order_id: UUID, user: User | None = None) -> Order:
    """Mark a shipped order as delivered, or a packed one as picked up in the shop."""
    picked_up = not read(order_id).address  # a correction makes no delivery of a pickup
    return _advance(
        order_id,
        to=Status.DELIVERED,
        among=(Status.PACKED, Status.SHIPPED) if picked_up else (),
        user=user,
    )


def cancel(
    *,
    order_id: UUID,
    reason: str = "",
    by_shopper: bool = False,
    user: User | None = None,
    seen: datetime | None = None,
) -> Order:
    """Cancel the order: restock its goods, settle its sales, refund its payments.

    Staff can cancel until the order is shipped and must give a reason, which the shopper reads.
    The shopper can cancel until the order is packed. `seen`: see `require_seen`.
    """
    reason = cleaned(reason, name=_("Reason"), max_length=200, required=not by_shopper)
    with one_transaction():
        lock_stock(order_id)
        lock_voucher(order_id)
        among = BEFORE_PACKING if by_shopper else COMES_FROM[Status.CANCELLED]
        if (order := lock(order_id)).status in among:
            require_seen(order, seen=seen)
        won = move(order_id, to=Status.CANCELLED, among=among)
        order = read(order_id)
        if not won and order.status == Status.CANCELLED:
            return order
        if not won:
            raise WrongStatus(order, to=Status.CANCELLED)
        _apply_cancellation(order, reason=reason, user=user, by_shopper=by_shopper)
    settle(order_id)
    return order


def expire(*, order_id: UUID, hours: int) -> Order:
    """Cancel an order that wasn't paid within `hours` after it was placed.

    An order with any payment is refused: an operator decides about it.
    """
    with one_transaction():
        lock_stock(order_id)
        lock_voucher(order_id)
        # The lock comes first, so that the check below sees every payment.
        order = lock(order_id)
        if order.status == Status.CANCELLED:
            return order
        if order.status != Status.PLACED:
            raise WrongStatus(order, to=Status.CANCELLED)
        if not overdue(hours).filter(pk=order_id).exists():
            raise InvalidTransition(
                _("Order %(number)s doesn't expire: it is paid in part, or not due yet.")
                % {"number": order}
            )
        move(order_id, to=Status.CANCELLED, among=(Status.PLACED,))
        order = read(order_id)
        with override(order.language):  # a sweep has no language; the shopper reads it
            reason = ngettext(
                "It was not paid within %(hours)d hour.",
                "It was not paid within %(hours)d hours.",
                hours,
            ) % {"hours": hours}
        _apply_cancellation(order, reason=reason, user=None, expired=True)
    settle(order_id)
    return order


def overdue(hours: int) -> QuerySet[Order]:
    """Return the unpaid orders that are older than `hours` by the database's clock.

    Who pays at pick-up isn't late before: those orders are no part of it.
    """
    return Order.objects.filter(
        ~Exists(Payment.objects.filter(order=OuterRef("pk"))),
        ~Q(payment_method=AT_PICKUP),
        status=Status.PLACED,
        total__gt=0,
        changed_at__lte=Now() - timedelta(hours=hours),
        placed_at__lte=Now() - timedelta(hours=hours),
    )


def correct_parcel(
    *,
    order_id: UUID,
    carrier: str,
    tracking_number: str = "",
    user: User | None = None,
    seen: datetime | None = None,
) -> Order:
    """Correct the carrier or tracking number of a shipped order, and message the shopper.

    A call with the known parcel is a repeat. `seen`: see `require_seen`.
    """
    parcel = _parcel(carrier, tracking_number)
    with one_transaction():
        order = lock(order_id)
        if order.status != Status.SHIPPED:
            raise WrongStatus(order, to=Kind.PARCEL_CORRECTED)
        said = order.events.filter(kind__in=(Kind.SHIPPED, Kind.PARCEL_CORRECTED))
        latest = said.order_by("-pk")[0]
        if latest.detail.items() >= parcel.items():
            return order
        require_seen(order, seen=seen)
        touch(order_id)
        order = read(order_id)
        record(
            order,
            Kind.PARCEL_CORRECTED,
            user=user,
            occasion=f"correction-{said.count()}",
            corrected=True,
            **parcel,
        )
    return order


def _advance(
    order_id: UUID,
    *,
    to: Order.Status,
    user: User | None,
    among: tuple[Order.Status, ...] = (),
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> Order:
    """Move the order one status forward. A call with the same `detail` is a repeat."""
    with one_transaction():
        if to == Status.PACKED:
            among = packed_from(lock(order_id))
        won = move(order_id, to=to, among=among)
        order = read(order_id)
        if won:
            record(order, Kind(to), user=user, **detail)
        elif order.status != to:
            raise WrongStatus(order, to=to)
        elif not order.events.filter(kind=to, detail=dict(detail)).exists():
            raise DoneDifferently(
                _("Order %(number)s was shipped already, as another parcel.") % {"number": order}
            )
    return order


def _parcel(carrier: str, tracking_number: str) -> dict[str, Any]:
    return {
        "carrier": cleaned(carrier, name=_("Carrier"), max_length=100),
        "tracking_number": cleaned_code(
            tracking_number, name=_("Tracking number"), max_length=100, required=False
        ),
    }


def _apply_cancellation(order: Order, *, reason: str, user: User | None, **detail: Any) -> None:
    """Write the effects of a cancellation: stock, refund, jobs, timeline and messages."""
    # Refunded units were restocked or written off by their refund: they must not return again.
    units = {
        line.product_id: line.quantity - line.refunded
        for line in order.lines.all()
        if line.quantity > line.refunded
    }
    return_to_stock(
        units,
        kind=StockMovement.Kind.CANCEL,
        order_id=order.pk,
        reason=reason,
        user_id=user.pk if user else None,
    )
    give_back_use(order.pk)
    given_back = owe_the_rest(order, reason=reason, user=user)
    # A cancelled order needs no pickup pass and no print, but its invoice stands. Its queued
    # messages are still sent.
    needless = MediaJob.objects.exclude(recipe=INVOICE.name)
    needless.filter(order_id=order.pk, status=JobStatus.QUEUED).cancel()
    credit_rest(order, reason=reason)
    record(
        order,
        Kind.CANCELLED,
        user=user,
        reason=reason,
        given_back=str(given_back) if given_back else "",
        **detail,
    )

"""Refunds: for the whole order or for some units, with or without goods that return to stock."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.invoicing.issue import credit
from orders.lifecycle.errors import DoneDifferently, InvalidTransition, WrongStatus
from orders.lifecycle.payouts import owe, paid_so_far, refunded_so_far
from orders.lifecycle.restock import lock_stock, return_to_stock
from orders.lifecycle.return_units import held_units
from orders.lifecycle.steps import (
    COMES_FROM,
    Kind,
    Status,
    cleaned,
    lock,
    move,
    one_transaction,
    read,
    record,
    require_seen,
    touch,
)
from orders.models import Order, OrderLine, Refund, RefundLine, StockMovement, User
from orders.placing.settle import settle
from orders.taxes.splitting import unit_of
from orders.vouchers.discount import discount_for_next
from project.templatetags.money import money


def refund(
    *,
    order_id: UUID,
    refund_id: UUID,
    restock: bool,
    lines: Mapping[str, int] | None = None,
    reason: str = "",
    user: User | None = None,
    seen: datetime | None = None,
) -> Order:
    """Refund the price of units by SKU, or of all remaining units; then the order is refunded.

    `refund_id` is the caller's idempotency key: a repeat with the same id changes nothing.
    `restock` says whether the goods return to the stock. The refund of an order's last units
    includes the delivery price. `seen` is the order's `changed_at` on the user's page: a refund
    that another made since is no reason for a second one. Raises a `TransitionError` with the
    reason.
    """
    reason = cleaned(reason, name=_("Reason"), max_length=200, required=False)
    with one_transaction():
        if restock:
            lock_stock(order_id)
        order = lock(order_id)
        made = Refund.objects.filter(pk=refund_id).first()
        if made:
            _check_same(made, order, restock=restock, lines=lines)
            return order
        if order.status == Status.REFUNDED and lines is None:
            return order
        require_seen(order, seen=seen)
        if order.status not in COMES_FROM[Status.REFUNDED]:
            raise WrongStatus(order, to=Status.REFUNDED)
        units = _units(order.lines.all(), lines)
        _check_not_held(units, held_units(order))
        enter_refund(
            order, refund_id=refund_id, units=units, restocked=restock, reason=reason, user=user
        )
        order = read(order_id)
    settle(order_id)
    return order


def enter_refund(
    order: Order,
    *,
    refund_id: UUID,
    units: Mapping[OrderLine, int],
    restocked: bool | Mapping[OrderLine, int],
    reason: str,
    user: User | None,
    is_told: bool = True,
) -> Refund:
    """Refund these units within the transaction that has locked the order.

    `restocked`: whether all units return to the stock, or how many of each line do; then the stock
    is locked, too. `is_told`: whether the customer gets the message about it. The caller settles
    the sales after the commit. Raises InvalidTransition if a unit or its money isn't left.
    """
    amount, is_all = price_of(order, order.lines.all(), units)
    for line, count in units.items():
        if not add_refunded_units(line, count):
            raise too_many(line)
    if amount > (left := paid_so_far(order) - refunded_so_far(order)):
        raise InvalidTransition(
            _("Only %(left)s of what was paid for order %(number)s is left to refund.")
            % {"left": money(left, order.currency), "number": order}
        )
    by_line = None if isinstance(restocked, bool) else restocked
    back = dict(by_line if by_line is not None else units if restocked else {})
    is_restocked = all(back.get(line, 0) == count for line, count in units.items())
    made = owe(
        order, refund_id=refund_id, amount=amount, restocked=is_restocked, reason=reason, user=user
    )
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=made,
            line=line,
            quantity=count,
            discount=discount_for_next(line, count, unit=unit_of(order.currency)),
            units_restocked=None if by_line is None else by_line.get(line, 0),
        )
        for line, count in units.items()
    )
    credit(order, made, units, with_delivery=is_all)
    if any(back.values()):
        return_to_stock(
            {line.product_id: count for line, count in back.items() if count},
            kind=StockMovement.Kind.REFUND,
            order_id=order.pk,
            refund_id=refund_id,
            reason=reason,
            user_id=user.pk if user else None,
        )
    if is_all:
        move(order.pk, to=Status.REFUNDED)
    else:
        touch(order.pk)
    record(
        read(order.pk),
        Kind.REFUNDED if is_all else Kind.PART_REFUNDED,
        user=user,
        occasion=str(refund_id),
        is_told=is_told,
        amount=str(amount),
        restocked=is_restocked,
        reason=reason,
        items=items_of(units),
    )
    return made


def items_of(units: Mapping[OrderLine, int]) -> list[dict[str, Any]]:
    """Return the units as an entry of the timeline has them."""
    return [
        {"sku": line.sku, "name": line.name, "quantity": count} for line, count in units.items()
    ]


def price_of(
    order: Order, order_lines: Iterable[OrderLine], units: Mapping[OrderLine, int]
) -> tuple[Decimal, bool]:
    """Return what a refund of these units gives back, and whether it takes the order's last ones.

    `order_lines` are all of the order's lines, as they were before the refund.
    """
    is_all = all(line.refunded + units.get(line, 0) == line.quantity for line in order_lines)
    unit = unit_of(order.currency)
    amount = sum(
        (
            line.unit_price * count - discount_for_next(line, count, unit=unit)
            for line, count in units.items()
        ),
        Decimal(0),
    )
    return (amount + order.delivery_total if is_all else amount), is_all


def add_refunded_units(line: OrderLine, quantity: int) -> bool:
    """Add the units to the line's refunded units if enough remain; False if not.

    Check and write are one UPDATE.
    """
    left = OrderLine.objects.filter(pk=line.pk, refunded__lte=F("quantity") - quantity)
    return left.update(refunded=F("refunded") + quantity) == 1


def _check_not_held(units: Mapping[OrderLine, int], held: Mapping[int, int]) -> None:
    """Raise InvalidTransition if a unit is in an open return: it is refunded by that, once."""
    for line, count in units.items():
        in_returns = held.get(line.pk, 0)
        if in_returns and count > line.quantity - line.refunded - in_returns:
            sentence = ngettext(
                "%(held)d unit of “%(name)s” is in an open return: receive or refuse that first.",
                "%(held)d units of “%(name)s” are in open returns: receive or refuse these first.",
                in_returns,
            )
            raise InvalidTransition(sentence % {"held": in_returns, "name": line.name})


def _units(
    order_lines: Iterable[OrderLine], wanted: Mapping[str, int] | None
) -> dict[OrderLine, int]:
    """Return the units to refund by line. Raises InvalidTransition for a SKU without a line."""
    if wanted is None:
        return {
            line: line.quantity - line.refunded
            for line in order_lines
            if line.quantity > line.refunded
        }
    by_sku = {line.sku: line for line in order_lines}
    if not wanted or any(quantity < 1 for quantity in wanted.values()):
        raise InvalidTransition(_("Choose at least one unit to refund."))
    if unknown := wanted.keys() - by_sku.keys():
        facts = {"sku": min(unknown)}
        raise InvalidTransition(_("The order has no “%(sku)s” to refund.") % facts)
    return {by_sku[sku]: quantity for sku, quantity in wanted.items()}


def too_many(line: OrderLine) -> InvalidTransition:
    """Return the refusal of more units than the line has left."""
    left = line.quantity - line.refunded
    sentence = ngettext(
        "Only %(left)d unit of “%(name)s” is left to refund.",
        "Only %(left)d units of “%(name)s” are left to refund.",
        left,
    )
    return InvalidTransition(sentence % {"left": left, "name": line.name})


def _check_same(
    made: Refund, order: Order, *, restock: bool, lines: Mapping[str, int] | None
) -> None:
    """Raise DoneDifferently unless the request equals the refund that has this id."""
    done = dict(made.lines.values_list("line__sku", "quantity"))
    is_same = (
        made.order_id == order.pk
        and made.restocked == restock
        and (lines is None or dict(lines) == done)
    )
    if not is_same:
        raise DoneDifferently(_("This refund was made already, with other units."))
